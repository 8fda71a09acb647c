//! The pages over HTTP.

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

use crate::{Check, Readiness};

/// Prometheus' text format and its version.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long answers under way may take once the process stops.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Tells what the process measures.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// Everything, in Prometheus' text format.
    async fn text(&self) -> Result<String, MetricsError>;
}

/// The metrics could not be told.
#[derive(Debug, thiserror::Error)]
#[error("failed to gather the metrics: {0}")]
pub struct MetricsError(pub String);

/// What is shown.
#[derive(Clone)]
pub struct Console {
    /// All of them must pass for the process to be ready.
    pub checks: Vec<Arc<dyn Check>>,
    /// Behind `/metrics`.
    pub metrics: Arc<dyn Metrics>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Receiver<bool>,
    task: JoinHandle<io::Result<()>>,
}

/// The server ended otherwise than by its shutdown.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The listener broke.
    #[error("failed to serve the console")]
    Serve(#[source] io::Error),
    /// Its task panicked or was aborted.
    #[error("failed to run the console's task")]
    Task(#[source] tokio::task::JoinError),
}

impl Server {
    /// Serves `console` on `listener` until `shutdown` is ready.
    pub fn start(
        listener: TcpListener,
        console: Console,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stopping, stop) = watch::channel(false);
        let routes = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(console);
        let shutdown = async move {
            shutdown.await;
            stopping.send_replace(true);
        };
        let serving = axum::serve(listener, routes).with_graceful_shutdown(shutdown);
        Ok(Self { address, stop, task: tokio::spawn(async move { serving.await }) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for its shutdown and, for a short while, for the answers under way.
    pub async fn stopped(mut self) -> Result<(), ServerError> {
        tokio::select! {
            ended = &mut self.task => return ended.map_err(ServerError::Task)?.map_err(ServerError::Serve),
            _ = self.stop.wait_for(|stop| *stop) => {}
        }
        if let Ok(ended) = tokio::time::timeout(ANSWER_WITHIN, &mut self.task).await {
            return ended.map_err(ServerError::Task)?.map_err(ServerError::Serve);
        }
        // Whoever reads so slowly must not keep the process from ending.
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
            tracing::error!(error = &error as &dyn std::error::Error, "the metrics cannot be shown");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
    }
}
