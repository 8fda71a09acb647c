//! The console over TLS and behind a proxy.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_access::Role;
use holdfast_console::{Entry, Transport};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::filled::Filling;
use crate::world::{World, between};

const TINY: Filling = Filling { apps: 1, days: 0, hostile: false };

#[tokio::test]
async fn over_tls_a_login_gets_a_cookie_for_tls_alone_and_plain_text_gets_nothing() {
    let provider = rustls::crypto::ring::default_provider();
    drop(provider.install_default());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let transport = Transport::of(Some((&chain, &key)), false).unwrap();
    let (world, _clock) = World::entered(TINY, Entry { transport, ..Entry::default() }).await;
    let token = world.token("ann", Role::Viewer, &[]).await;

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(world.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let body = format!("token={token}");
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    assert!(answer.contains("set-cookie: __Host-holdfast="), "{answer}");
    assert!(answer.contains("; Secure\r\n"), "{answer}");

    let mut plain = TcpStream::connect(world.address()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"), "{answer:?}");
}

#[tokio::test]
async fn behind_a_proxy_the_client_came_by_https_and_logs_in() {
    let entry = Entry { transport: Transport::BehindProxy, ..Entry::default() };
    let (world, _clock) = World::entered(TINY, entry).await;
    let token = world.token("ann", Role::Viewer, &[]).await;
    let https = [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.9")];
    let body = format!("token={token}");
    assert_eq!(world.ask("POST /login", &[("X-Forwarded-For", "203.0.113.9")], &body).await.status, 403);
    let answer = world.ask("POST /login", &https, &body).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let cookie = between(&answer.head, "set-cookie: ", ";").replace("__host-", "__Host-");
    let page = world.ask("GET /", &[https[0], ("Cookie", &cookie)], "").await;
    assert_eq!(page.status, 200);
    assert_eq!(world.ask("GET /", &https, "").await.status, 401);
    assert!(!world.audit().await.contains("203.0.113.9"), "what a client claims is not its address");
}

#[tokio::test]
async fn a_login_of_container_apps_is_believed_where_it_is_asked_for_and_nowhere_else() {
    let header = |role: &str| {
        let claims = json!([{ "typ": "roles", "val": role }, { "typ": "name", "val": "Ann" }]);
        let document =
            json!({ "auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims });
        STANDARD.encode(document.to_string())
    };
    let (viewer, root) = (header("viewer"), header("root"));
    for (container_apps_auth, status) in [(true, 200), (false, 401)] {
        let entry = Entry { transport: Transport::BehindProxy, container_apps_auth, ..Entry::default() };
        let (world, _clock) = World::entered(TINY, entry).await;
        let https = ("X-Forwarded-Proto", "https");
        let asked = world.ask("GET /api/v1/whoami", &[https, ("X-MS-CLIENT-PRINCIPAL", &viewer)], "").await;
        assert_eq!(asked.status, status, "{}", asked.body);
        if container_apps_auth {
            assert!(
                asked.body.contains("\"name\":\"Ann\",\"login\":\"header\",\"role\":\"viewer\""),
                "{}",
                asked.body
            );
            let act =
                world.ask("POST /api/v1/backups", &[https, ("X-MS-CLIENT-PRINCIPAL", &viewer)], "{}").await;
            assert_eq!(act.status, 403);
            let none = world.ask("GET /", &[https, ("X-MS-CLIENT-PRINCIPAL", &root)], "").await;
            assert!(none.status == 403 && none.body.contains("none of the app roles"), "{}", none.body);
            assert_eq!(world.ask("GET /", &[https], "").await.status, 401);
            let direct = world.ask("GET /", &[("X-MS-CLIENT-PRINCIPAL", &viewer)], "").await;
            assert_eq!(direct.status, 403, "not through the proxy");
        }
    }
    let entry = Entry { container_apps_auth: true, requires_login: true, ..Entry::default() };
    let (world, _clock) = World::entered(TINY, entry).await;
    assert_eq!(world.ask("GET /", &[("X-MS-CLIENT-PRINCIPAL", &viewer)], "").await.status, 401, "no proxy");
}
