//! The HTTP server: a real listener on a free port, and ordinary HTTP clients.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_arm::{
    Arm, ArmClient, BackupBody, Credential, ErrorKind, NoopCallObserver, PUBLIC_SCOPE, Settings,
};
use holdfast_model::{BackupName, BackupStatus, Clock, ManualClock};
use holdfast_simulator::{Azure, CallFault, Config, Server, StorageAccount};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::*;

struct Running {
    server: Server,
    azure: Arc<Mutex<Azure>>,
    clock: Arc<ManualClock>,
    stop: oneshot::Sender<()>,
}

async fn run(config: Config) -> Running {
    let azure = Arc::new(Mutex::new(Azure::new(config, 1).unwrap()));
    let clock = Arc::new(ManualClock::new(start()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let server = Server::start(listener, azure.clone(), clock.clone(), shutdown).unwrap();
    Running { server, azure, clock, stop }
}

fn client() -> reqwest::Client {
    // A second installation is refused, and the first serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().build().unwrap()
}

async fn http_token(running: &Running, client: &reqwest::Client) -> String {
    let known = config().client;
    let url = format!("{}/{}/oauth2/v2.0/token", running.server.url(), known.tenant);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=s",
        known.id,
        known.secret.expose_secret()
    );
    let answer = client.post(url).body(form).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
}

/// The product's own client, through its own credential.
fn arm(running: &Running) -> ArmClient {
    client();
    let known = config().client;
    let credential =
        Credential::ClientSecret { tenant: known.tenant, client_id: known.id, secret: known.secret };
    let url: url::Url = running.server.url().parse().unwrap();
    let tokens = credential.source(Some(&url), PUBLIC_SCOPE).unwrap();
    let settings = Settings { call_timeout: Duration::from_secs(20), ..Settings::new(url) };
    let rng = fastrand::Rng::with_seed(1);
    ArmClient::over_http(settings, tokens, running.clock.clone(), Arc::new(NoopCallObserver), rng).unwrap()
}

fn request(running: &Running, name: &str) -> BackupBody {
    let url = format!("{}?{}", running.server.container_url("acct", "backups"), good_sas());
    BackupBody { name: BackupName::new(name), storage_url: url.into(), databases: Vec::new() }
}

#[tokio::test]
async fn the_products_own_client_gets_a_token_starts_a_backup_and_watches_it() {
    let mut config = config();
    config.page_size = 1;
    let running = run(config).await;
    let arm = arm(&running);
    let shop = app("shop");
    assert_eq!(arm.sites(shop.subscription()).await.unwrap().sites.len(), 2);
    let begun = arm.backup(&shop, &request(&running, "hf-1")).await.unwrap();
    assert_eq!((begun.status, begun.correlation_id), (BackupStatus::Created, begun.request_id));
    running.clock.advance(Duration::from_mins(50));
    let ended = arm.get_backup(&shop, begun.id).await.unwrap();
    assert_eq!(ended.status, BackupStatus::Succeeded);
    arm.backup(&shop, &request(&running, "hf-2")).await.unwrap();
    running.clock.advance(Duration::from_secs(500));
    let names: Vec<_> = arm.list_backups(&shop).await.unwrap().into_iter().map(|b| b.name.unwrap()).collect();
    assert_eq!(names, ["hf-1", "hf-2"]);
    assert_eq!(running.azure.lock().unwrap().counters().tokens, 1);
}

#[tokio::test]
async fn a_revoked_token_is_renewed_by_the_client() {
    let running = run(config()).await;
    let arm = arm(&running);
    arm.site(&app("shop")).await.unwrap();
    running.azure.lock().unwrap().revoke_tokens();
    arm.site(&app("shop")).await.unwrap();
    let azure = running.azure.lock().unwrap();
    assert_eq!((azure.counters().tokens, azure.counters().unauthorized), (2, 1));
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous_to_the_client_and_the_backup_is_there() {
    let running = run(config()).await;
    let arm = arm(&running);
    for (call_fault, accepted) in
        [(CallFault::Refused, 0), (CallFault::AnswerLost, 1), (CallFault::GarbageAfter, 2)]
    {
        running.azure.lock().unwrap().next(&app("shop"), call_fault);
        let error = arm.backup(&app("shop"), &request(&running, "hf-1")).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Ambiguous, "{call_fault:?}: {error}");
        assert_eq!(running.azure.lock().unwrap().accepted_posts().len(), accepted, "{call_fault:?}");
        running.clock.advance(Duration::from_mins(50));
    }
}

/// At the TCP level: after the request no byte comes back, and the connection is closed.
#[tokio::test]
async fn a_cut_connection_carries_no_byte_of_an_answer() {
    let running = run(config()).await;
    let token = http_token(&running, &client()).await;
    for (call_fault, effect) in [(CallFault::AnswerLost, 1), (CallFault::Refused, 1)] {
        running.azure.lock().unwrap().next(&app("shop"), call_fault);
        let post = post_backup(&app("shop"), "hf-1", &good_url());
        let mut stream = TcpStream::connect(running.server.address()).await.unwrap();
        let head = format!(
            "POST {}?{} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
            post.path,
            post.query,
            post.body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&post.body).await.unwrap();
        let mut received = Vec::new();
        let end = stream.read_to_end(&mut received).await;
        assert!(end.is_ok() || end.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset));
        assert_eq!(received, b"", "{call_fault:?}");
        assert_eq!(running.azure.lock().unwrap().accepted_posts().len(), effect, "{call_fault:?}");
    }
    // Other connections are served.
    assert_eq!(client().get(running.server.url()).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn the_blob_endpoint_serves_a_stock_client_with_a_good_sas() {
    let running = run(config()).await;
    let (client, container) = (client(), running.server.container_url("acct", "backups"));
    let blob = |sas: &str| format!("{container}/probe.txt?{sas}");
    let put = |url: String| client.put(url).header("x-ms-blob-type", "BlockBlob").body("hello").send();
    assert_eq!(put(blob(&good_sas())).await.unwrap().status(), 201);
    let head = client.head(blob(&good_sas())).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "5"));
    assert_eq!(client.get(blob(&good_sas())).send().await.unwrap().text().await.unwrap(), "hello");
    let list =
        client.get(format!("{container}?restype=container&comp=list&{}", good_sas())).send().await.unwrap();
    assert!(list.text().await.unwrap().contains("<Name>probe.txt</Name>"));
    let refused = put(blob(&good_sas().replace("rwdl", "racwdl"))).await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("<Code>AuthenticationFailed</Code>"));
    assert_eq!(client.delete(blob(&good_sas())).send().await.unwrap().status(), 202);
    assert_eq!(client.head(blob(&good_sas())).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_sas_for_https_alone_is_refused_over_http() {
    let running = run(config()).await;
    let account = StorageAccount::generate("acct", "backups", 5);
    let container = running.server.container_url("acct", "backups");
    for (protocols, status) in [("https", 403), ("https,http", 404)] {
        let sas = sas_over(protocols, &account, "rwdl", "2026-06-01", "2026-07-01");
        let answer = client().get(format!("{container}/x?{sas}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{protocols}");
    }
}

#[tokio::test]
async fn a_stopped_server_sends_its_late_responses_and_ends() {
    let mut config = config();
    config.pace.slow_answer = Duration::from_hours(24);
    let running = run(config).await;
    let client = client();
    let token = http_token(&running, &client).await;
    running.azure.lock().unwrap().next_read(&app("shop"), CallFault::Slow);
    let url = format!("{}{}?api-version=1", running.server.url(), app("shop"));
    let asking = tokio::spawn(client.get(url).bearer_auth(token).send());
    while running.azure.lock().unwrap().counters().call_faults.is_empty() {
        tokio::task::yield_now().await;
    }
    running.stop.send(()).unwrap();
    assert_eq!(asking.await.unwrap().unwrap().status(), 200);
    drop(client);
    running.server.stopped().await.unwrap();
}

#[tokio::test]
async fn odd_requests_are_answered_and_do_no_harm() {
    let running = run(config()).await;
    let client = client();
    let send = |method: &str, path: &str, body: Vec<u8>| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        client.request(method, format!("{}{path}", running.server.url())).body(body).send()
    };
    assert_eq!(send("PATCH", "/subscriptions/x", vec![]).await.unwrap().status(), 405);
    assert_eq!(send("GET", "/%2F/%00?%ff=%zz&&=", vec![]).await.unwrap().status(), 400);
    assert_eq!(send("PUT", "/acct/backups/x", vec![0; (4 << 20) + 1]).await.unwrap().status(), 413);
    let unauthorized = send("GET", &format!("{}?api-version=1", app("shop")), vec![]).await.unwrap();
    assert_eq!(unauthorized.status(), 401);
    assert!(unauthorized.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn every_operation_is_done_over_http() {
    let running = run(config()).await;
    let (arm, url) =
        (arm(&running), format!("{}?{}", running.server.container_url("acct", "backups"), good_sas()));
    crate::skins::life_of_a_backup(&arm, &running.clock, &url).await;
    crate::skins::life_of_a_schedule(&arm, &running.clock, &url, running.clock.now()).await;
    let probe = format!("{}/_site/shop/staging", running.server.url());
    assert_eq!(client().get(probe).send().await.unwrap().status(), 200);
    drop(running.stop);
}

#[tokio::test]
async fn a_list_that_links_to_another_host_is_refused_over_http() {
    let running = run(crate::skins::config_with_foreign_links()).await;
    crate::skins::a_list_that_links_to_another_host(&arm(&running)).await;
}
