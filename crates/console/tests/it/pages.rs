//! What each page answers, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_console::{
    Check, Console, ConsumersAttached, Heartbeat, ListenerLimits, Metrics, MetricsError, RecentHeartbeat,
    Server, StoreAnswers,
};
use holdfast_model::{Clock, ManualClock, SystemClock, Timestamp};
use holdfast_store::{Mode, SqliteStore, Store};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::http::get;

struct Fixed(Result<&'static str, &'static str>);

#[async_trait]
impl Metrics for Fixed {
    async fn text(&self) -> Result<String, MetricsError> {
        self.0.map(str::to_owned).map_err(|why| MetricsError(why.to_owned()))
    }
}

/// A check that never answers.
struct Stuck;

#[async_trait]
impl Check for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    async fn check(&self) -> Result<(), String> {
        std::future::pending().await
    }
}

async fn serve(checks: Vec<Arc<dyn Check>>, metrics: Fixed) -> (Server, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = oneshot::channel();
    let console = Console { checks, metrics: Arc::new(metrics), site: None };
    let server =
        Server::start(listener, console, ListenerLimits::default(), async { drop(stopped.await) }).unwrap();
    (server, stop)
}

async fn readyz(server: &Server) -> (u16, Value) {
    let (status, _, body) = get(server.address(), "/readyz").await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn the_process_is_healthy_while_it_answers_and_unknown_pages_are_not_found() {
    let (server, stop) = serve(vec![Arc::new(Stuck)], Fixed(Ok(""))).await;
    assert_eq!(get(server.address(), "/healthz").await.0, 200);
    assert_eq!(get(server.address(), "/").await.0, 404);
    drop(stop);
    server.stopped().await.unwrap();
}

#[tokio::test]
async fn readiness_ends_when_the_store_is_unreachable_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&dir.path().join("s.sqlite"), clock, Mode::Own).await.unwrap());
    let (server, _stop) = serve(vec![Arc::new(StoreAnswers(Arc::clone(&store)))], Fixed(Ok(""))).await;
    let good = json!({ "ready": true, "checks": [{ "name": "store", "ok": true }] });
    assert_eq!(readyz(&server).await, (200, good));
    store.close().await;
    let (status, body) = readyz(&server).await;
    assert_eq!((status, &body["ready"], &body["checks"][0]["ok"]), (503, &json!(false), &json!(false)));
    assert!(!body["checks"][0]["why"].as_str().unwrap().is_empty(), "{body}");
}

#[tokio::test]
async fn readiness_follows_the_loops_and_the_consumers() {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let heartbeat = Arc::new(Heartbeat::new(Arc::clone(&clock) as _));
    let attached = Arc::new(AtomicU64::new(2));
    let count = Arc::clone(&attached);
    let checks: Vec<Arc<dyn Check>> = vec![
        Arc::new(RecentHeartbeat::new("planner", Arc::clone(&heartbeat), Duration::from_secs(30))),
        Arc::new(ConsumersAttached(move || count.load(Ordering::Relaxed))),
    ];
    let (server, _stop) = serve(checks, Fixed(Ok(""))).await;
    assert_eq!(readyz(&server).await.0, 503, "nothing was planned yet");
    heartbeat.beat();
    assert_eq!(readyz(&server).await.0, 200);
    clock.advance(Duration::from_secs(31));
    let (status, body) = readyz(&server).await;
    let why = json!("the last successful pass was 31 s ago");
    assert_eq!((status, &body["checks"][0]["why"]), (503, &why));
    heartbeat.beat();
    attached.store(0, Ordering::Relaxed);
    let (status, body) = readyz(&server).await;
    let why = json!("no consumer is attached to the queue");
    assert_eq!((status, &body["checks"][1]["why"]), (503, &why));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_does_not_answer_has_failed() {
    let checks: Vec<Arc<dyn Check>> = vec![Arc::new(Stuck)];
    let readiness = holdfast_console::Readiness::of(&checks).await;
    assert_eq!(readiness.checks[0].why.as_deref(), Some("no answer within 2 s"));
    assert!(!readiness.ready);
}

#[tokio::test]
async fn metrics_are_text_and_what_cannot_be_gathered_is_an_error() {
    let (server, _stop) = serve(Vec::new(), Fixed(Ok("a 1\n"))).await;
    let (status, head, body) = get(server.address(), "/metrics").await;
    assert_eq!((status, body.as_str()), (200, "a 1\n"));
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    let (server, _stop) = serve(Vec::new(), Fixed(Err("broken"))).await;
    assert_eq!(get(server.address(), "/metrics").await.0, 500);
}

#[tokio::test]
async fn a_client_that_never_ends_its_request_does_not_keep_the_server_from_stopping() {
    let (server, stop) = serve(Vec::new(), Fixed(Ok(""))).await;
    let mut idle = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut idle, b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    assert_eq!(get(server.address(), "/healthz").await.0, 200);
    drop(stop);
    server.stopped().await.unwrap();
}
