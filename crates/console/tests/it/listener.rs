//! The limits of the listener: a client that only opens connections keeps no other client from the port.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_console::{AllowedHosts, Console, ListenerLimits, Metrics, MetricsError, Server};
use holdfast_model::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::http::get;

/// The start of a request that never ends.
const HALF: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow";

/// Metrics that never answer.
struct Stuck;

#[async_trait]
impl Metrics for Stuck {
    async fn text(&self) -> Result<String, MetricsError> {
        std::future::pending().await
    }
}

fn short() -> ListenerLimits {
    let limits = ListenerLimits::default();
    ListenerLimits { head: Duration::from_millis(200), answer: Duration::from_millis(200), ..limits }
}

async fn serve(limits: ListenerLimits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let console = Console { checks: Vec::new(), metrics: Arc::new(Stuck), site: None };
    Server::start(listener, console, limits, std::future::pending()).unwrap()
}

/// A connection from this address of the loopback network, on which these bytes were sent.
async fn sent(server: &Server, from: Ipv4Addr, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).unwrap();
    let mut stream = socket.connect(server.address()).await.unwrap();
    let _ = stream.write_all(bytes).await;
    stream
}

/// All that the server sends until it closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut all)).await;
    let _ = read.unwrap();
    String::from_utf8_lossy(&all).into_owned()
}

/// Whether the connection is still open.
async fn is_open(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut [0])).await;
    read.is_err()
}

const PROBE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const FLOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[tokio::test]
async fn half_open_connections_keep_no_client_out_and_are_closed() {
    let limits = ListenerLimits { head: Duration::from_secs(2), ..ListenerLimits::default() };
    let server = serve(limits).await;
    let mut halves = Vec::new();
    for _ in 0..2_000 {
        halves.push(sent(&server, FLOOD, HALF).await);
    }
    let begun = SystemClock::default();
    assert_eq!(get(server.address(), "/healthz").await.0, 200);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // Those that were not closed for others are closed when their time is over.
    for half in halves {
        rest(half).await;
    }
}

#[tokio::test]
async fn a_peer_with_its_share_of_connections_gives_way_itself() {
    let limits = ListenerLimits { connections: 8, connections_of_peer: 4, ..ListenerLimits::default() };
    let server = serve(limits).await;
    let mut waiting = sent(&server, PROBE, HALF).await;
    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(sent(&server, FLOOD, HALF).await);
    }
    assert!(is_open(&mut waiting).await, "another peer's connection stays");
    let mut open = 0;
    for stream in &mut flood {
        open += u32::from(is_open(stream).await);
    }
    assert_eq!(open, 4);
    assert!(is_open(flood.last_mut().unwrap()).await, "the newest stay");
}

#[tokio::test]
async fn slow_heads_idle_connections_and_slow_answers_end_in_time() {
    let server = serve(short()).await;
    assert_eq!(rest(sent(&server, PROBE, b"").await).await, "");
    rest(sent(&server, PROBE, HALF).await).await;
    let kept_alive = sent(&server, PROBE, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert!(rest(kept_alive).await.ends_with("ok\n"));
    let (status, _, body) = get(server.address(), "/metrics").await;
    assert_eq!((status, body.as_str()), (503, "no answer in time\n"));
}

#[tokio::test]
async fn a_connection_is_closed_after_its_time_however_often_it_asks() {
    let limits = ListenerLimits { connection: Duration::from_millis(300), ..ListenerLimits::default() };
    let server = serve(limits).await;
    let mut stream = sent(&server, PROBE, b"").await;
    let begun = SystemClock::default();
    let asking = async {
        loop {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await?;
            let mut answer = [0; 512];
            if stream.read(&mut answer).await? == 0 {
                return Ok::<_, std::io::Error>(());
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), asking).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(250), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn only_http_1_with_a_small_head_is_served() {
    let server = serve(short()).await;
    let http2 = rest(sent(&server, PROBE, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await).await;
    assert!(!http2.contains("200"), "{http2:?}");
    let large =
        format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Large: {}\r\n\r\n", "a".repeat(100_000));
    let refused = rest(sent(&server, PROBE, large.as_bytes()).await).await;
    assert!(!refused.contains(" 200 "), "{refused:?}");
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200));
    let refused = rest(sent(&server, PROBE, many.as_bytes()).await).await;
    assert!(!refused.contains(" 200 "), "{refused:?}");
}

#[tokio::test]
async fn a_foreign_host_name_is_misdirected() {
    let hosts = AllowedHosts::new(["worker-1"]);
    let server = serve(ListenerLimits { hosts, ..short() }).await;
    for (host, status) in [
        ("Host: 127.0.0.1\r\n", "200"),
        ("Host: localhost:9464\r\n", "200"),
        ("Host: worker-1:9464\r\n", "200"),
        ("Host: evil.example\r\n", "421"),
        ("Host: 127.0.0.1\r\nHost: evil.example\r\n", "421"),
    ] {
        let request = format!("GET /healthz HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let answer = rest(sent(&server, PROBE, request.as_bytes()).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
    let probe = rest(sent(&server, PROBE, b"GET /readyz HTTP/1.0\r\n\r\n").await).await;
    assert!(probe.starts_with("HTTP/1.0 200 "), "{probe}");
}
