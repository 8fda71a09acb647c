//! A server: sends requests to its API, and reads the answers.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_arm::{InvalidSettings, Transport, TransportRequest, TransportResponse, http_transport};
use holdfast_control::{Error, ErrorKind};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::address::ServerAddress;
use crate::problem;
use crate::query::Query;

/// The longest call: a verification reads each blob of an app.
const CALL_MAX: Duration = Duration::from_mins(5);
/// The longest answer: the forecast of a fleet of 10,000 apps has a few megabytes.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Time that a call waits in all, because the server asks for that.
const WAITS_MAX: Duration = Duration::from_mins(1);
/// The same of a call for what the server makes in minutes, and keeps for ten.
const MAKES_MAX: Duration = Duration::from_mins(9);
/// Pause before a request whose connection broke is sent again.
const PAUSE: Duration = Duration::from_secs(1);

/// A server, with the token that logs in to it.
pub struct Server {
    address: ServerAddress,
    token: Option<SecretString>,
    transport: Arc<dyn Transport>,
    rng: Mutex<fastrand::Rng>,
}

/// A request that may be sent several times.
struct Call<'a> {
    method: Method,
    path: &'a [&'a str],
    query: Query,
    body: Option<Vec<u8>>,
    /// The key of a request that acts, the same for each try.
    key: Option<String>,
    /// Whether the server is not asked again after the connection broke: it may have acted.
    acts_each_time: bool,
    /// Time that the call waits in all, because the server asks for that.
    waits_max: Duration,
}

impl Server {
    /// A server. It connects when the first request is sent.
    pub fn new(
        address: ServerAddress,
        token: Option<SecretString>,
        rng: fastrand::Rng,
    ) -> Result<Self, Error> {
        let refused = |error: InvalidSettings| Error::new(ErrorKind::Invalid, error.to_string());
        let transport = http_transport(address.url(), CALL_MAX).map_err(refused)?;
        Ok(Self::over(transport, address, token, rng))
    }

    /// A server that is reached by this transport.
    pub fn over(
        transport: Arc<dyn Transport>,
        address: ServerAddress,
        token: Option<SecretString>,
        rng: fastrand::Rng,
    ) -> Self {
        Self { address, token, transport, rng: Mutex::new(rng) }
    }

    /// Where it is.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Reads.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: Query) -> Result<T, Error> {
        self.answer(&Call { query, ..Call::new(Method::GET, path) }).await
    }

    /// Reads what the server makes in minutes.
    pub(crate) async fn get_made<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.answer(&Call { waits_max: MAKES_MAX, ..Call::new(Method::GET, path) }).await
    }

    /// Acts once, however often the request must be sent.
    pub(crate) async fn act<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let number = self.rng.lock().unwrap_or_else(PoisonError::into_inner).u128(..);
        let key = Some(format!("{number:032x}"));
        self.answer(&Call { key, body: Some(json(body)?), ..Call::new(Method::POST, path) }).await
    }

    /// Asks for what the server does each time that it is asked: the request is sent once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = Some(json(body)?);
        self.answer(&Call { body, acts_each_time: true, ..Call::new(Method::POST, path) }).await
    }

    /// Removes.
    pub(crate) async fn remove<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.answer(&Call { acts_each_time: true, ..Call::new(Method::DELETE, path) }).await
    }

    /// Reads a text.
    pub(crate) async fn text(&self, path: &[&str], query: Query) -> Result<String, Error> {
        let answer = self.exchange(&Call { query, ..Call::new(Method::GET, path) }).await?;
        String::from_utf8(answer.body).map_err(|error| self.unreadable(&error))
    }

    /// Waits.
    pub(crate) async fn wait(&self, pause: Duration) {
        let _ = timeout(pause, pending::<()>()).await;
    }

    async fn answer<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Error> {
        let answer = self.exchange(call).await?;
        serde_json::from_slice(&answer.body).map_err(|error| self.unreadable(&error))
    }

    /// The error of an answer in another form.
    pub(crate) fn unreadable(&self, error: &dyn fmt::Display) -> Error {
        let what = format!("the answer of {} cannot be read: {error}", self.address);
        Error::new(ErrorKind::Store, what).help("use the same version of holdfast as the server")
    }

    /// Sends the request until the server answers it, within the time that it may wait.
    async fn exchange(&self, call: &Call<'_>) -> Result<TransportResponse, Error> {
        let mut waited = Duration::ZERO;
        loop {
            let sent = self.transport.send(self.request(call)).await;
            let pause = match &sent {
                Ok(answer) => pause(&call.method, answer),
                Err(error) => (error.may_have_arrived() && !call.acts_each_time).then_some(PAUSE),
            };
            if let Some(pause) = pause.filter(|pause| waited + *pause <= call.waits_max) {
                waited += pause;
                self.wait(pause).await;
                continue;
            }
            return match sent {
                Ok(answer) if (200..300).contains(&answer.status) && pause.is_none() => Ok(answer),
                Ok(answer) => Err(self.failed(&answer)),
                Err(error) => {
                    let what = format!("{} does not answer: {error}", self.address);
                    Err(Error::new(ErrorKind::Store, what)
                        .help("check --server, and that `holdfast run` serves it"))
                }
            };
        }
    }

    fn failed(&self, answer: &TransportResponse) -> Error {
        match answer.status {
            202 => {
                let what = format!("{} is still making the answer", self.address);
                Error::new(ErrorKind::Azure, what).help("ask again in a moment")
            }
            300..400 => {
                let what = format!("{} answers with a redirect, which is not followed", self.address);
                Error::new(ErrorKind::Invalid, what).help("give the address of the server itself")
            }
            status => problem::error(&self.address, status, &answer.body),
        }
    }

    fn request(&self, call: &Call<'_>) -> TransportRequest {
        let mut url = self.address.call(call.path);
        if !call.query.pairs().is_empty() {
            url.query_pairs_mut().extend_pairs(call.query.pairs());
        }
        let mut request = TransportRequest::document(url, BYTES_MAX);
        request.method = call.method.clone();
        let headers = &mut request.headers;
        let token = self.token.as_ref().map(|token| format!("Bearer {}", token.expose_secret()));
        if let Some(mut token) = token.and_then(|token| HeaderValue::try_from(token).ok()) {
            token.set_sensitive(true);
            headers.insert(AUTHORIZATION, token);
        }
        if let Some(key) = call.key.as_ref().and_then(|key| HeaderValue::try_from(key).ok()) {
            headers.insert(HeaderName::from_static("idempotency-key"), key);
        }
        if call.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request.body.clone_from(&call.body);
        request
    }
}

impl<'a> Call<'a> {
    fn new(method: Method, path: &'a [&'a str]) -> Self {
        Self {
            method,
            path,
            query: Query::default(),
            body: None,
            key: None,
            acts_each_time: false,
            waits_max: WAITS_MAX,
        }
    }
}

/// Has no token.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, Error> {
    let failed = |error| Error::new(ErrorKind::Invalid, format!("the request cannot be written: {error}"));
    serde_json::to_vec(body).map_err(failed)
}

/// For how long the server asks to wait before the same request is sent again.
fn pause(method: &Method, answer: &TransportResponse) -> Option<Duration> {
    let is_making = *method == Method::GET && answer.status == 202;
    if !is_making && !matches!(answer.status, 429 | 503) {
        return None;
    }
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).max(PAUSE))
}

#[cfg(test)]
mod tests;
