//! Accepts connections and serves HTTP/1 on them, within limits.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::either::Either;

use crate::ListenerLimits;
use crate::caller::Peer;
use crate::connections::{Busy, Connections, NoRoom, counted_peer};
use crate::entry::Transport;
use crate::events::Stopping;

/// Pause after connections could not be accepted, mostly because the process has no file descriptor left.
const ACCEPT_RETRY: Duration = Duration::from_millis(500);
/// The most header fields of a request.
const HEADERS_MAX: usize = 64;

/// Serves `routes` until `stop`, then finishes the answers under way.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Arc<ListenerLimits>,
    stop: watch::Receiver<bool>,
) {
    let connections = Connections::new(limits.connections, limits.connections_of_peer);
    let mut open = OpenConnections { routes, limits, stop: stop.clone(), connections, tasks: JoinSet::new() };
    let mut stopping = stop;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            Some(ended) = open.tasks.join_next(), if !open.tasks.is_empty() => {
                // A connection that gave way is forgotten already.
                if let Ok(number) = ended {
                    open.connections.ended(number);
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => open.take(stream, peer),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "connections to the console cannot be accepted; trying again"
                );
                let _ = tokio::time::timeout(ACCEPT_RETRY, stopped(&mut stopping)).await;
            }
        }
    }
    drop(listener);
    while open.tasks.join_next().await.is_some() {}
}

/// The connections of a listener, and what they are served with.
struct OpenConnections {
    routes: Router,
    limits: Arc<ListenerLimits>,
    stop: watch::Receiver<bool>,
    connections: Connections<AbortHandle>,
    /// Each ends with the number of its connection.
    tasks: JoinSet<u64>,
}

impl OpenConnections {
    /// Serves a new connection. The oldest that waits for its client may have to give way.
    fn take(&mut self, stream: TcpStream, address: SocketAddr) {
        let peer = counted_peer(address.ip());
        match self.connections.make_room(peer) {
            Ok(None) => {}
            Ok(Some(oldest)) => {
                tracing::debug!(%peer, "the oldest waiting connection gives way to a new one");
                oldest.abort();
            }
            Err(NoRoom) => {
                tracing::debug!(%peer, "a connection is refused: too many answers are under way");
                return;
            }
        }
        let (busy, number) = (Busy::default(), self.connections.next_number());
        let (routes, limits) = (self.routes.clone(), Arc::clone(&self.limits));
        let address = Peer(address.ip());
        let serving = connection((stream, address), routes, limits, busy.clone(), self.stop.clone());
        let task = self.tasks.spawn(async move {
            serving.await;
            number
        });
        self.connections.add(peer, busy, task);
    }
}

/// Waits until the process stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Serves one connection until it ends, its time is over, or the process stops.
async fn connection(
    (stream, peer): (TcpStream, Peer),
    routes: Router,
    limits: Arc<ListenerLimits>,
    busy: Busy,
    mut stop: watch::Receiver<bool>,
) {
    let routes = TowerToHyperService::new(routes);
    let stopping = Stopping(stop.clone());
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(stopping.clone());
        let (routes, limits, busy) = (routes.clone(), Arc::clone(&limits), busy.guard());
        async move {
            let answer = answer(&routes, request, &limits).await;
            drop(busy);
            Ok::<_, Infallible>(answer)
        }
    });
    let stream = match &limits.entry.transport {
        Transport::Tls(config) => {
            let accepting = TlsAcceptor::from(Arc::clone(config)).accept(stream);
            // An error is the client's: it left, was too slow, or does not trust the certificate.
            let Ok(Ok(stream)) = tokio::time::timeout(limits.head, accepting).await else { return };
            Either::Left(stream)
        }
        Transport::Plain | Transport::BehindProxy => Either::Right(stream),
    };
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
    builder.max_buf_size(limits.head_bytes).max_headers(HEADERS_MAX);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let end = async {
        let _ = tokio::time::timeout(limits.connection, stopped(&mut stop)).await;
    };
    tokio::select! {
        // An error is the client's: it left, was too slow, or sent no HTTP/1.
        _ = serving.as_mut() => return,
        () = end => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(limits.answer, serving).await;
}

async fn answer(
    routes: &TowerToHyperService<Router>,
    request: Request<Incoming>,
    limits: &ListenerLimits,
) -> Response {
    if !limits.hosts.allow(request.headers()) {
        let why =
            "this name is not served here: ask by address, or start the process with --allow-host NAME\n";
        return (StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    match tokio::time::timeout(limits.answer, routes.call(request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(never)) => match never {},
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "no answer in time\n").into_response(),
    }
}

/// Whether a failed accept concerns only the connection that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
