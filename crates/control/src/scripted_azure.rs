//! An Azure for tests that answers each path as it was told, and the client that calls it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use holdfast_arm::{
    Arm, ArmClient, NoopCallObserver, PUBLIC_ENDPOINT, Settings, Token, TokenError, TokenSource, Transport,
    TransportError, TransportRequest, TransportResponse,
};
use holdfast_model::{Clock, Timestamp};
use serde_json::json;

/// Answers by path: a status, a `Retry-After` and a body.
type Answers = BTreeMap<String, (u16, Option<&'static str>, String)>;

/// Azure as a table of answers. A path without an answer is 404.
#[derive(Default)]
pub struct ScriptedAzure {
    /// The answers.
    pub answers: Mutex<Answers>,
    /// The paths that were called.
    pub calls: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    /// The greatest number of calls that were under way at once.
    pub most_at_once: AtomicUsize,
}

impl ScriptedAzure {
    /// The client that calls it.
    pub fn client(self: &Arc<Self>, clock: Arc<dyn Clock>, rng: fastrand::Rng) -> Arc<dyn Arm> {
        let settings = Settings::new(PUBLIC_ENDPOINT.parse().unwrap());
        let (tokens, observer) = (Arc::new(AnyToken), Arc::new(NoopCallObserver));
        let transport: Arc<dyn Transport> = Arc::clone(self) as _;
        Arc::new(ArmClient::new(settings, transport, tokens, clock, observer, rng))
    }
}

#[async_trait]
impl Transport for ScriptedAzure {
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError> {
        let path = request.url.path().to_lowercase();
        self.calls.lock().unwrap().push(path.clone());
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(under_way, Ordering::Relaxed);
        // Later calls answer first.
        for _ in under_way..20 {
            tokio::task::yield_now().await;
        }
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        let (status, retry_after, body) =
            self.answers.lock().unwrap().get(&path).cloned().unwrap_or_else(|| {
                (404, None, json!({ "error": { "code": "ResourceNotFound", "message": "gone" } }).to_string())
            });
        let mut response = TransportResponse { status, headers: request.headers, body: body.into() };
        response.headers.clear();
        response.headers.insert("x-ms-request-id", "1".parse().unwrap());
        if let Some(wait) = retry_after {
            response.headers.insert("retry-after", wait.parse().unwrap());
        }
        Ok(response)
    }
}

#[derive(Debug)]
struct AnyToken;

#[async_trait]
impl TokenSource for AnyToken {
    async fn token(&self) -> Result<Token, TokenError> {
        Ok(Token { secret: String::from("t").into(), expires_on: Timestamp::MAX_UTC })
    }
}
