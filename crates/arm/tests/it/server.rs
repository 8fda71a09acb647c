//! A server that answers as a test says and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use holdfast_arm::{ArmClient, NoopCallObserver, Settings, Token, TokenError, TokenSource};
use holdfast_model::{Clock, ManualClock, parse_timestamp};
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub uri: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub struct Server {
    pub url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// A server on a free port. `answer` gets the request and how many came before it.
    pub async fn new(answer: impl Fn(&Seen, usize) -> Response<Body> + Send + Sync + 'static) -> Self {
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let record = seen.clone();
        let app = Router::new().fallback(move |request: Request| async move {
            let (head, body) = request.into_parts();
            let text = |v: &axum::http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
            let request = Seen {
                method: head.method.to_string(),
                uri: head.uri.to_string(),
                headers: head.headers.iter().map(|(k, v)| (k.to_string(), text(v))).collect(),
                body: String::from_utf8_lossy(&to_bytes(body, usize::MAX).await.unwrap()).into_owned(),
            };
            let before = {
                let mut seen = record.lock().unwrap();
                seen.push(request.clone());
                seen.len() - 1
            };
            answer(&request, before)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, seen, task }
    }

    /// A server that answers everything alike.
    pub async fn always(status: u16, body: impl Into<String>) -> Self {
        let body = body.into();
        Self::new(move |_, _| answer(status, &[], body.clone())).await
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer with the request ids that Azure sends.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::builder().status(status).header("content-type", "application/json");
    answer = answer.header("x-ms-request-id", "req-1").header("x-ms-correlation-request-id", "corr-1");
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(body.into()).unwrap()
}

/// Tokens `S3CR3T-TOKEN-1`, `S3CR3T-TOKEN-2` and so on, which live an hour.
#[derive(Debug)]
pub struct Tokens {
    clock: Arc<dyn Clock>,
    pub given: Mutex<u32>,
}

#[async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Token, TokenError> {
        let mut given = self.given.lock().unwrap();
        *given += 1;
        let expires_on = self.clock.now() + Duration::from_hours(1);
        Ok(Token { secret: format!("S3CR3T-TOKEN-{given}").into(), expires_on })
    }
}

pub fn tls() {
    // The second test to come here finds it installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(parse_timestamp("2026-11-23T12:00:00Z").unwrap()))
}

pub fn tokens() -> Arc<Tokens> {
    Arc::new(Tokens { clock: clock(), given: Mutex::new(0) })
}

pub fn arm_with(settings: Settings, tokens: Arc<dyn TokenSource>) -> ArmClient {
    tls();
    ArmClient::over_http(settings, tokens, clock(), Arc::new(NoopCallObserver), fastrand::Rng::with_seed(7))
        .unwrap()
}

pub fn arm(url: &Url) -> ArmClient {
    arm_with(Settings::new(url.clone()), tokens())
}
