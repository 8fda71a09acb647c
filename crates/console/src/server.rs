//! The HTTP server.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::gate::Gate;
use crate::local_mode::Access;
use crate::routes::routes;
use crate::site::Site;
use crate::{Check, ListenerLimits, Readiness, listener};

/// The content type of Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Maximum time of pending answers after the shutdown.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A source of the process's metrics.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// All metrics, in Prometheus' text format.
    async fn text(&self) -> Result<String, MetricsError>;
}

/// The metrics could not be gathered.
#[derive(Debug, thiserror::Error)]
#[error("failed to gather the metrics: {0}")]
pub struct MetricsError(pub String);

/// What the server serves.
#[derive(Clone)]
pub struct Console {
    /// The checks behind `/readyz`; all must pass.
    pub checks: Vec<Arc<dyn Check>>,
    /// The metrics behind `/metrics`.
    pub metrics: Arc<dyn Metrics>,
    /// What the pages and the API are served from; `None` for a process without them.
    pub site: Option<Arc<Site>>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

/// The server ended before its shutdown: its task panicked or was aborted.
#[derive(Debug, thiserror::Error)]
#[error("failed to run the console's task")]
pub struct ServerError(#[source] tokio::task::JoinError);

impl Server {
    /// Serves `console` on `listener` within `limits`, until `shutdown` completes.
    pub fn start(
        listener: TcpListener,
        console: Console,
        limits: ListenerLimits,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stopping, stop) = watch::channel(false);
        let pages = console.site.clone().map(|site| {
            let gate = Gate::new(Access::of(address, &limits.entry), &limits.entry, Arc::clone(&site));
            routes(site, gate)
        });
        let routes = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(console)
            .merge(pages.unwrap_or_default());
        tokio::spawn(async move {
            shutdown.await;
            stopping.send_replace(true);
        });
        let serving = listener::serve(listener, routes, Arc::new(limits), stop.clone());
        Ok(Self { address, stop, task: tokio::spawn(serving) })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the shutdown, then for pending answers for a short time.
    pub async fn stopped(mut self) -> Result<(), ServerError> {
        tokio::select! {
            ended = &mut self.task => return ended.map_err(ServerError),
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
        if let Ok(ended) = tokio::time::timeout(ANSWER_WITHIN, &mut self.task).await {
            return ended.map_err(ServerError);
        }
        // A slow client must not keep the process from ending.
        self.task.abort();
        Ok(())
    }
}

async fn readyz(State(console): State<Console>) -> Response {
    let readiness = Readiness::of(&console.checks).await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

async fn metrics(State(console): State<Console>) -> Response {
    match console.metrics.text().await {
        Ok(text) => ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "failed to gather the metrics");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}
