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

mod connection;

use connection::{ConnectionCut, CuttableListener};

/// The longest request body, in bytes. A longer one is answered 413.
const BODY_BYTES_MAX: usize = 4 << 20;

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Serves `azure` on `listener` until `shutdown` is ready and the pending responses are sent.
    pub fn start(
        listener: TcpListener,
        azure: Arc<Mutex<Azure>>,
        clock: Arc<dyn Clock>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let shared = Shared { azure, clock, stopping, origin: format!("http://{address}") };
        let service = Router::new()
            .fallback(serve)
            .with_state(shared)
            .into_make_service_with_connect_info::<ConnectionCut>();
        let shutdown = async move {
            shutdown.await;
            // Late responses are sent now, so that they do not delay the shutdown.
            stop.send_replace(true);
        };
        let serving = axum::serve(CuttableListener::new(listener), service).with_graceful_shutdown(shutdown);
        Ok(Self { address, task: tokio::spawn(async move { serving.await }) })
    }

    /// The address of the listener.
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

    /// Waits until the server has ended. It is an error if the listener failed or its task panicked.
    pub async fn stopped(self) -> io::Result<()> {
        self.task.await.map_err(io::Error::other)?
    }
}

/// The state shared by all requests.
#[derive(Clone)]
struct Shared {
    azure: Arc<Mutex<Azure>>,
    clock: Arc<dyn Clock>,
    stopping: watch::Receiver<bool>,
    origin: String,
}

async fn serve(
    State(mut shared): State<Shared>,
    ConnectInfo(cut): ConnectInfo<ConnectionCut>,
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
        // The response is still returned: the connection's task writes it and fails.
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

/// The headers that are text; of a repeated one, the last.
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
