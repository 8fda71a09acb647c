//! An Azurite that knows users, and the way to it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_model::{Clock, SystemClock};
use holdfast_storage::{NoToken, Tokens};
use holdfast_tests::servers::Servers;
use reqwest::{Certificate, Client};
use secrecy::SecretString;

/// Azurite takes tokens over TLS alone. This stands between: it speaks plain HTTP to the storage under test, and alone
/// trusts the certificate that was made for the occasion.
#[derive(Clone)]
pub struct Bridge {
    /// Plain HTTP, as an Azurite has it: the address and the account.
    pub url: String,
    /// The Azurite itself.
    pub base: String,
    client: Client,
    /// The queries of all HEAD requests.
    looks: Arc<Mutex<Vec<String>>>,
    _servers: Arc<(Servers, tempfile::TempDir)>,
}

impl Bridge {
    /// `None` where tests go without servers.
    pub async fn start() -> Option<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(at("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let (certificate, key) = (at("certificate.pem"), at("key.pem"));
        let settings = ["--oauth", "basic", "--cert", &certificate, "--key", &key];
        let servers = Servers::start(&["azurite"], &settings)?;
        let (base, account) = servers.fact("azurite", "url").rsplit_once('/').unwrap();
        let base = base.replacen("http:", "https:", 1);
        let trusted = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([trusted]).build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{account}", listener.local_addr().unwrap());
        let servers = Arc::new((servers, folder));
        let bridge = Self { url, base, client, looks: Arc::default(), _servers: servers };
        let router = Router::new().fallback(pass).with_state(bridge.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Some(bridge)
    }

    /// The query of the latest HEAD request.
    pub fn latest_look(&self) -> String {
        self.looks.lock().unwrap().last().unwrap().clone()
    }
}

async fn pass(
    State(bridge): State<Bridge>,
    request: Request,
) -> Result<Response<Body>, std::convert::Infallible> {
    let (mut head, body) = request.into_parts();
    if head.method == "HEAD" {
        bridge.looks.lock().unwrap().push(head.uri.query().unwrap().to_owned());
    }
    head.headers.remove("host");
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
    let onwards = bridge.client.request(head.method, format!("{}{}", bridge.base, head.uri));
    let mut answer = onwards.headers(head.headers).body(body).send().await.unwrap();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    answer.headers_mut().remove("transfer-encoding");
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = Body::from(answer.bytes().await.unwrap());
    Ok(response)
}

/// A token in the form of Entra's. Azurite checks everything but its signature.
#[derive(Debug)]
pub struct User;

#[async_trait]
impl Tokens for User {
    async fn token(&self, scope: &str) -> Result<SecretString, NoToken> {
        let now = SystemClock::default().now().timestamp();
        let claims = format!(
            r#"{{"aud":"{}","iss":"https://sts.windows.net/22222222-2222-2222-2222-222222222222/","iat":{now},
            "nbf":{},"exp":{},"oid":"11111111-1111-1111-1111-111111111111",
            "tid":"22222222-2222-2222-2222-222222222222"}}"#,
            scope.trim_end_matches("/.default"),
            now - 60,
            now + 3_600,
        );
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Ok(format!("{}.{}.c2ln", encode(r#"{"alg":"RS256","typ":"JWT"}"#), encode(&claims)).into())
    }
}
