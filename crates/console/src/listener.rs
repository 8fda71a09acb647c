//! Accepts connections and serves HTTP/1 on them, within limits.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
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
use crate::connections::{Busy, BusyGuard, Connections, NoRoom, counted_peer};
use crate::downloads::{Counted, Download, Sent};
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
    let (stopping, sent, longest) = (Stopping(stop.clone()), Sent::default(), limits.download);
    let downloading: Arc<Mutex<Option<BusyGuard>>> = Arc::default();
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(stopping.clone());
        let (routes, limits, busy) = (routes.clone(), Arc::clone(&limits), busy.guard());
        let (sent, downloading) = (sent.clone(), Arc::clone(&downloading));
        async move {
            let answer = answer(&routes, request, &limits).await;
            if answer.extensions().get::<Download>().is_some() {
                sent.begin_download();
                // The connection does not give way to another one.
                *downloading.lock().unwrap_or_else(PoisonError::into_inner) = Some(busy);
            }
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
    let stream = TokioIo::new(Counted::new(stream, sent.clone()));
    let mut serving = pin!(builder.serve_connection(stream, service));
    let end = async {
        let _ = tokio::time::timeout(limits.connection, stopped(&mut stop)).await;
    };
    tokio::select! {
        // An error is the client's: it left, was too slow, or sent no HTTP/1.
        _ = serving.as_mut() => return,
        () = end => {}
    }
    serving.as_mut().graceful_shutdown();
    if sent.is_download() {
        tokio::select! {
            () = sent.while_it_moves(serving.as_mut(), limits.answer, longest) => return,
            () = stopped(&mut stop) => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::body::{Body, Bytes};
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::*;

    /// Tells when the body that holds it is dropped.
    struct Dropped(mpsc::UnboundedSender<()>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    /// A download without an end, asked for by a client.
    async fn endless(told: mpsc::UnboundedSender<()>) -> (TcpStream, watch::Sender<bool>) {
        let answer = async move || {
            let chunk = (Bytes::from(vec![b'x'; 64 * 1024]), Dropped(told));
            let chunks = futures::stream::unfold(chunk, |(chunk, dropped)| async {
                Some((Ok::<_, axum::Error>(chunk.clone()), (chunk, dropped)))
            });
            (Extension(Download), Body::from_stream(chunks)).into_response()
        };
        let limits = ListenerLimits {
            answer: Duration::from_millis(200),
            connection: Duration::from_millis(1),
            ..ListenerLimits::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(serve(listener, Router::new().route("/", get(answer)), Arc::new(limits), stopping));
        client.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await.unwrap();
        (client, stop)
    }

    #[tokio::test]
    async fn a_download_outlasts_the_connection_and_ends_with_its_client() {
        let (told, mut ended) = mpsc::unbounded_channel();
        let (mut client, _stop) = endless(told).await;
        let (begun, mut buffer) = (Instant::now(), vec![0; 64 * 1024]);
        while begun.elapsed() < Duration::from_millis(700) {
            assert!(client.read(&mut buffer).await.unwrap() > 0, "it was cut off");
        }
        assert!(ended.try_recv().is_err(), "it goes on");
        drop(client);
        ended.recv().await.unwrap();
    }

    #[tokio::test]
    async fn a_download_that_its_client_does_not_take_ends() {
        let (told, mut ended) = mpsc::unbounded_channel();
        let (_client, _stop) = endless(told).await;
        ended.recv().await.unwrap();
    }
}
