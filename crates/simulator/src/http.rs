//! Azure over HTTP: one listener for ARM, tokens and blobs.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use holdfast_model::Clock;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::in_process::{lock, pause};
use crate::{Azure, Delivery, Method, Request, Response};

mod wire;

use wire::{Cut, WireListener};

/// The most bytes of a request's body that are read; more are answered with 413.
const BODY_BYTES_MAX: usize = 4 << 20;

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

/// The server ended otherwise than by its shutdown.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The listener broke.
    #[error("failed to serve the simulated azure")]
    Serve(#[source] io::Error),
    /// Its task panicked or was aborted.
    #[error("failed to run the simulated azure's task")]
    Task(#[source] tokio::task::JoinError),
}

impl Server {
    /// Serves `azure` on `listener` until `shutdown` is ready and the answers under way have been given.
    pub fn start(
        listener: TcpListener,
        azure: Arc<Mutex<Azure>>,
        clock: Arc<dyn Clock>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let shared = Shared { azure, clock, stopping, origin: format!("http://{address}") };
        let service =
            Router::new().fallback(serve).with_state(shared).into_make_service_with_connect_info::<Cut>();
        let shutdown = async move {
            shutdown.await;
            // Late answers are given now, so that they do not hold up the end.
            stop.send_replace(true);
        };
        let serving = axum::serve(WireListener::new(listener), service).with_graceful_shutdown(shutdown);
        Ok(Self { address, task: tokio::spawn(async move { serving.await }) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The root of ARM and of the token endpoint, such as `http://127.0.0.1:4000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of a container, path-style.
    pub fn container_url(&self, account: &str, container: &str) -> String {
        format!("{}/{account}/{container}", self.url())
    }

    /// Waits for its end.
    pub async fn stopped(self) -> Result<(), ServerError> {
        self.task.await.map_err(ServerError::Task)?.map_err(ServerError::Serve)
    }
}

/// What every request needs.
#[derive(Clone)]
struct Shared {
    azure: Arc<Mutex<Azure>>,
    clock: Arc<dyn Clock>,
    stopping: watch::Receiver<bool>,
    origin: String,
}

async fn serve(
    State(mut shared): State<Shared>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let request = match read(request, &shared.origin).await {
        Ok(request) => request,
        Err(status) => return plain(status),
    };
    let response = lock(&shared.azure).handle(shared.clock.now(), &request);
    tracing::debug!(
        method = request.method.as_str(),
        path = request.path,
        status = response.status,
        "answered"
    );
    match response.delivery {
        Delivery::Normal | Delivery::Garbage => {}
        Delivery::Delayed(late) => {
            tokio::select! {
                () = pause(late) => {}
                _ = shared.stopping.wait_for(|stopping| *stopping) => {}
            }
        }
        // The answer is still handed back, because that is what makes the connection's task write, and fail.
        Delivery::LostAfterAccept | Delivery::DroppedBefore => cut.cut(),
    }
    written(response)
}

async fn read(request: axum::extract::Request, origin: &str) -> Result<Request, StatusCode> {
    let (parts, body) = request.into_parts();
    let method = Method::from_name(parts.method.as_str()).ok_or(StatusCode::METHOD_NOT_ALLOWED)?;
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let headers = texts(&parts.headers);
    let origin = headers.get("host").map_or_else(|| origin.to_owned(), |host| format!("http://{host}"));
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    Ok(Request { method, origin, path, query, headers, body: body.to_vec() })
}

/// Headers that are text; of one that stands twice, the last.
fn texts(headers: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn written(response: Response) -> axum::response::Response {
    let mut builder = axum::http::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(*name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

fn plain(status: StatusCode) -> axum::response::Response {
    let mut response = axum::response::Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
