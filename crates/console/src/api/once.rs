//! Requests of programs that act: JSON in, once for each `Idempotency-Key`.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_store::{RequestKey, sha256_hex};
use serde::de::DeserializeOwned;

use crate::caller::Caller;
use crate::done::{Done, Work};
use crate::failure::Failure;
use crate::forms::{Claim, Permit};
use crate::once::carry_out;
use crate::site::Site;

/// The longest key of a request.
const KEY_MAX: usize = 200;

/// A request that acts: who sends it, to which path, with which headers and body.
pub struct ApiRequest {
    /// Who asks.
    pub caller: Caller,
    /// The path.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl<S: Send + Sync> FromRequest<S> for ApiRequest {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut head, body) = request.into_parts();
        let caller =
            Caller::from_request_parts(&mut head, state).await.map_err(|failure| failure.problem())?;
        let (path, headers) = (head.uri.path().to_owned(), head.headers.clone());
        let request = Request::from_parts(head, body);
        let body = String::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self { caller, path, headers, body })
    }
}

impl ApiRequest {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if !is_json(&self.headers) {
            let detail = "The body must be JSON, with Content-Type: application/json.";
            let kind = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Failure::new(kind, "unsupported_media_type", "Not JSON", detail));
        }
        serde_json::from_str(&self.body).map_err(|error| bad(format!("The body cannot be read: {error}.")))
    }

    /// Does the work once for each key of the caller, and returns what was done, now or the first time.
    ///
    /// The store keeps the answer of a request that adds runs, in their transaction. What came of other work is kept in the
    /// memory of the process: done twice, it changes nothing or is refused.
    pub async fn once<F>(
        self,
        site: &Arc<Site>,
        work: impl FnOnce(Arc<Site>, Permit, Caller) -> F,
    ) -> Result<Arc<Done>, Failure>
    where
        F: Future<Output = Result<Work, Failure>> + Send + 'static,
    {
        if let Some(work) = self.sent_before(site).await? {
            return Ok(Arc::new(Done { work, fingerprint: String::new() }));
        }
        let (request, fingerprint) = (self.key()?, self.fingerprint());
        let Self { caller, .. } = self;
        let claim = if let Some(request) = &request {
            site.forms.claim_key(&request.principal, &request.key)
        } else {
            let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
            site.forms.claim(&caller.binding, &token)
        };
        let done = match claim {
            Claim::Act(permit) => {
                let permit = Permit { request, ..permit };
                let work = work(Arc::clone(site), permit.clone(), caller);
                carry_out(site, permit, fingerprint.clone(), work).await?
            }
            Claim::Done(id) => site.forms.result(&id).ok_or_else(Failure::no_result)?,
            Claim::UnderWay => return Err(Failure::under_way()),
            Claim::Unknown => return Err(Failure::store_away()),
        };
        if done.fingerprint == fingerprint {
            return Ok(done);
        }
        Err(Failure::reused())
    }

    /// What the store knows that the request did when it was sent before, whatever became of what it names.
    pub async fn sent_before(&self, site: &Site) -> Result<Option<Work>, Failure> {
        let Some(key) = self.key()? else { return Ok(None) };
        let known = site.store().request(&key).await.map_err(holdfast_control::Error::from)?;
        Work::of(&known)
    }

    /// What is the same when the request is sent again.
    fn fingerprint(&self) -> String {
        format!("{}\n{}", self.path, self.body)
    }

    fn key(&self) -> Result<Option<RequestKey>, Failure> {
        let (principal, fingerprint) = (self.caller.identity(), sha256_hex(self.fingerprint().as_bytes()));
        Ok(key(&self.headers)?.map(|key| RequestKey { principal, key, fingerprint }))
    }
}

impl Failure {
    /// A key that was used before.
    pub fn reused() -> Self {
        let detail = "The key was used for another request.";
        let kind = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(kind, "idempotency_key_reused", "The key is taken", detail)
    }
}

/// The body of a request is not what it should be.
pub fn bad(detail: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "invalid_body", "The request cannot be read", detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= KEY_MAX);
    key.map(|key| Some(key.to_owned())).ok_or_else(|| bad("The header Idempotency-Key cannot be read."))
}
