//! A local HTTP server that records what it receives.

use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// What arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A status and a header.
type Answer = (StatusCode, Option<(&'static str, String)>);

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answer: Arc<Mutex<Answer>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            received: Arc::default(),
            answer: Arc::new(Mutex::new((StatusCode::OK, None))),
        };
        let of = receiver.clone();
        let router = axum::Router::new().fallback(move |request: Request| of.clone().take(request));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    pub fn answers(&self, status: u16, header: Option<(&'static str, String)>) {
        *self.answer.lock().unwrap() = (StatusCode::from_u16(status).unwrap(), header);
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    async fn take(self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1_000_000).await.unwrap().to_vec();
        let received = Received { path: parts.uri.to_string(), headers: parts.headers, body };
        self.received.lock().unwrap().push(received);
        let (status, header) = self.answer.lock().unwrap().clone();
        match header {
            Some(header) => (status, [header]).into_response(),
            None => status.into_response(),
        }
    }
}
