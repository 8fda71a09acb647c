//! Azure without sockets, for simulations under paused time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use holdfast_arm::{
    ArmClient, NoopCallObserver, Settings, Token, TokenError, TokenSource, Transport, TransportError,
    TransportRequest, TransportResponse,
};
use holdfast_model::{Clock, Timestamp};

use crate::{Azure, BlobFacts, Delivery, Method, Request, Response};

/// A [`Transport`] to an [`Azure`] in the same process.
///
/// It does no I/O. Each request yields to other tasks once before its effect and once after it: a caller that is dropped
/// there has lost the request, or the response. Azure does not check its token.
#[derive(Clone)]
pub struct InProcess {
    azure: Arc<Mutex<Azure>>,
    clock: Arc<dyn Clock>,
    time_limit: Option<Duration>,
}

impl InProcess {
    /// A transport that never waits: a late response comes at once.
    pub fn new(azure: Arc<Mutex<Azure>>, clock: Arc<dyn Clock>) -> Self {
        Self { azure, clock, time_limit: None }
    }

    /// A transport that waits on tokio's time for late responses, at most `time_limit`. A later response is
    /// [`ErrorKind::Ambiguous`](holdfast_arm::ErrorKind::Ambiguous).
    #[must_use]
    pub fn waiting(self, time_limit: Duration) -> Self {
        Self { time_limit: Some(time_limit), ..self }
    }

    /// The product's own client over this transport.
    pub fn client(&self, settings: Settings) -> ArmClient {
        let transport = Arc::new(self.clone());
        let (clock, observer) = (Arc::clone(&self.clock), Arc::new(NoopCallObserver));
        let rng = fastrand::Rng::with_seed(0);
        ArmClient::new(settings, transport, Arc::new(UncheckedToken), clock, observer, rng)
    }

    /// Azure's state. Do not hold it over an await.
    pub fn azure(&self) -> MutexGuard<'_, Azure> {
        lock(&self.azure)
    }

    /// The facts of a blob now. `container` is the container's URL; a query is ignored.
    pub fn blob(&self, container: &str, blob: &str) -> Option<BlobFacts> {
        self.azure().blob(self.clock.now(), container, blob)
    }

    /// Waits for a late response, unless it comes after the time limit.
    async fn wait(&self, late: Duration) -> Result<(), TransportError> {
        let Some(limit) = self.time_limit else { return Ok(()) };
        pause(late.min(limit)).await;
        if late <= limit { Ok(()) } else { Err(TransportError::ambiguous("no answer in time")) }
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError> {
        tokio::task::yield_now().await;
        let response = self.azure().handle_trusted(self.clock.now(), &read(request)?);
        tokio::task::yield_now().await;
        match response.delivery {
            Delivery::LostAfterAccept | Delivery::DroppedBefore => {
                Err(TransportError::ambiguous("the connection broke before the answer"))
            }
            Delivery::Delayed(late) => self.wait(late).await.map(|()| written(response)),
            Delivery::Normal | Delivery::Garbage => Ok(written(response)),
        }
    }
}

/// A token that never expires, for an Azure that does not check it.
#[derive(Debug)]
struct UncheckedToken;

#[async_trait]
impl TokenSource for UncheckedToken {
    async fn token(&self) -> Result<Token, TokenError> {
        Ok(Token { secret: "unchecked".into(), expires_on: Timestamp::MAX_UTC })
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

/// The request as the simulator reads it. Its headers carry nothing but the token, which is not checked.
fn read(request: TransportRequest) -> Result<Request, TransportError> {
    let method = Method::from_name(request.method.as_str());
    let method = method.ok_or_else(|| TransportError::not_sent("the simulator does not know the method"))?;
    let url = request.url;
    Ok(Request {
        origin: url.origin().ascii_serialization(),
        query: url.query().unwrap_or_default().to_owned(),
        body: request.body.unwrap_or_default(),
        ..Request::new(method, url.path())
    })
}

fn written(response: Response) -> TransportResponse {
    let header = |(name, value): (&&'static str, &String)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
    };
    let headers: HeaderMap = response.headers.iter().filter_map(header).collect();
    TransportResponse { status: response.status, headers, body: response.body }
}

/// Locks Azure's state, also after a panic elsewhere while it was held: the state is still usable.
pub(crate) fn lock(azure: &Mutex<Azure>) -> MutexGuard<'_, Azure> {
    azure.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a late answer is late in the time that the caller's runtime keeps"
)]
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}
