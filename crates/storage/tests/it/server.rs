//! A blob endpoint that answers what a test wants, and remembers what it was asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use chrono::TimeDelta;
use holdfast_model::{Clock, ManualClock, StorageName, Timestamp, parse_timestamp};
use holdfast_storage::{
    Access, AppendContainer, Container, Error, Grant, LiveSecrets, LiveStorage, Need, NoToken, SasSource,
    SecretRef, Storage, StorageTarget, Tokens,
};
use secrecy::SecretString;
use tokio::io::AsyncReadExt;

/// What the server answers: a status, headers and a body.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// One request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    /// The header that says who asks.
    pub authorization: String,
    /// The header that forbids to replace a blob.
    pub if_none_match: String,
    pub body: String,
}

type Rule = Box<dyn Fn(&Asked) -> Reply + Send>;

#[derive(Clone)]
struct Shared {
    asked: Arc<Mutex<VecDeque<Asked>>>,
    rule: Arc<Mutex<Rule>>,
}

/// A running server; it ends with the test's runtime.
pub struct Server {
    shared: Shared,
    pub container: Container,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(self, body: &str) -> Self {
        Self { body: body.to_owned(), ..self }
    }
}

impl Server {
    /// Takes every write and deletion.
    pub async fn start() -> Self {
        let rule: Rule = Box::new(agree);
        let shared = Shared { asked: Arc::default(), rule: Arc::new(Mutex::new(rule)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, container: container_at(address) }
    }

    /// From now on answers by this rule.
    pub fn answer_with(&self, rule: impl Fn(&Asked) -> Reply + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    /// What was asked since the last call.
    pub fn take_asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().drain(..).collect()
    }

    /// The methods of what was asked since the last call.
    pub fn take_methods(&self) -> Vec<String> {
        self.take_asked().into_iter().map(|asked| asked.method).collect()
    }

    /// A storage called `weu` in this server's container.
    pub fn storage(&self, clock: &Arc<ManualClock>, source: SasSource) -> LiveStorage {
        storage(self.container.clone(), clock, source)
    }
}

/// The container of a storage called `weu`, for blobs that are written once.
pub fn append_container(container: Container, source: SasSource) -> AppendContainer {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tokens: Arc<dyn Tokens> = Arc::new(Badge::default());
    let access = Access { secrets: Arc::new(LiveSecrets::new(Arc::clone(&tokens)).unwrap()), tokens };
    AppendContainer::new(weu(), StorageTarget::new(container, source), access).unwrap()
}

/// A storage called `weu`.
pub fn storage(container: Container, clock: &Arc<ManualClock>, source: SasSource) -> LiveStorage {
    let clock: Arc<dyn Clock> = clock.clone();
    storage_with(container, &clock, source, Arc::new(Badge::default()))
}

/// A storage called `weu` that is opened with these tokens.
pub fn storage_with(
    container: Container,
    clock: &Arc<dyn Clock>,
    source: SasSource,
    tokens: Arc<dyn Tokens>,
) -> LiveStorage {
    storage_of(StorageTarget::new(container, source), clock, tokens)
}

/// A storage called `weu`, as this section of a fleet file.
pub fn storage_of(target: StorageTarget, clock: &Arc<dyn Clock>, tokens: Arc<dyn Tokens>) -> LiveStorage {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secrets = Arc::new(LiveSecrets::new(Arc::clone(&tokens)).unwrap());
    let access = Access { secrets, tokens };
    let targets = [(weu(), (target, access))].into();
    LiveStorage::new(targets, clock, fastrand::Rng::with_seed(7)).unwrap()
}

async fn answer(
    State(shared): State<Shared>,
    request: Request,
) -> Result<Response<Body>, std::convert::Infallible> {
    let (head, body) = request.into_parts();
    let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
    let header = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (authorization, if_none_match) = (header("authorization"), header("if-none-match"));
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
    let asked = Asked {
        method: head.method.to_string(),
        path,
        query,
        authorization: authorization.unwrap_or_default(),
        if_none_match: if_none_match.unwrap_or_default(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let reply = shared.rule.lock().unwrap()(&asked);
    shared.asked.lock().unwrap().push_back(asked);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from(reply.body)).unwrap())
}

/// Gives the same token to everybody, and remembers for what.
#[derive(Debug, Default)]
pub struct Badge {
    pub scopes: Mutex<Vec<String>>,
}

#[async_trait]
impl Tokens for Badge {
    async fn token(&self, scope: &str) -> Result<SecretString, NoToken> {
        self.scopes.lock().unwrap().push(scope.to_owned());
        Ok(TOKEN.into())
    }
}

/// The token of a [`Badge`].
pub const TOKEN: &str = "dG9rZW4tb2YtYS10ZXN0";

/// Whoever has no identity.
#[derive(Debug)]
pub struct Nobody;

#[async_trait]
impl Tokens for Nobody {
    async fn token(&self, _: &str) -> Result<SecretString, NoToken> {
        Err(NoToken { reason: "nobody is logged in".into(), is_refused_for_good: false })
    }
}

/// A container behind which every connection is closed once something was asked.
pub async fn container_that_hangs_up() -> Container {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
        }
    });
    container_at(address)
}

fn container_at(address: SocketAddr) -> Container {
    format!("http://{address}/acct/backups").parse().unwrap()
}

/// The answers of storage to a SAS that is good.
pub fn agree(asked: &Asked) -> Reply {
    match asked.method.as_str() {
        "PUT" => Reply::status(201),
        "DELETE" => Reply::status(202),
        _ => Reply::status(404),
    }
}

pub fn weu() -> StorageName {
    StorageName::new("weu")
}

pub fn start_of_test() -> Timestamp {
    parse_timestamp("2027-01-31T12:00:30Z").unwrap()
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(start_of_test()))
}

pub fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

/// A backup that begins now and may run for four hours.
pub fn need(clock: &ManualClock) -> Need {
    Need {
        now: clock.now(),
        until: clock.now() + TimeDelta::hours(4),
        replace: None,
        reason: None,
        probe: true,
    }
}

/// The query of a good SAS with this signature.
pub fn sas(signature: &str) -> String {
    format!("sv=2022-11-02&sr=c&sp=rwdl&se=2027-02-02T00:00:00Z&sig={}", whole(signature))
}

/// A signature of the right length that begins with these letters.
pub fn whole(signature: &str) -> String {
    format!("{signature:A<43}%3D")
}

/// A file that holds a SAS, and the source that reads it.
pub fn sas_file(text: &str) -> (tempfile::NamedTempFile, SasSource) {
    let file = tempfile::NamedTempFile::new().unwrap();
    write(file.path(), text);
    let source = SasSource::Url(SecretRef::File(file.path().to_owned()));
    (file, source)
}

/// A file that holds an account key, and the source that mints with it.
pub fn key_file(lifetime: Duration) -> (tempfile::NamedTempFile, SasSource) {
    key_file_with("aG9sZGZhc3QtaW52ZW50ZWQta2V5", lifetime)
}

/// The same, with this key.
pub fn key_file_with(key: &str, lifetime: Duration) -> (tempfile::NamedTempFile, SasSource) {
    let file = tempfile::NamedTempFile::new().unwrap();
    write(file.path(), key);
    let source = SasSource::AccountKey { key: SecretRef::File(file.path().to_owned()), lifetime };
    (file, source)
}

/// A server, a clock, a file that holds a SAS, and the storage that reads it.
pub async fn sas_storage(text: &str) -> (Server, Arc<ManualClock>, tempfile::NamedTempFile, LiveStorage) {
    served(sas_file(text)).await
}

/// A server, a clock, a file that holds an account key, and the storage that mints with it.
pub async fn key_storage(
    lifetime: Duration,
) -> (Server, Arc<ManualClock>, tempfile::NamedTempFile, LiveStorage) {
    served(key_file(lifetime)).await
}

async fn served(
    (file, source): (tempfile::NamedTempFile, SasSource),
) -> (Server, Arc<ManualClock>, tempfile::NamedTempFile, LiveStorage) {
    let (server, clock) = (Server::start().await, clock());
    let storage = server.storage(&clock, source);
    (server, clock, file, storage)
}

pub fn write(path: &Path, text: &str) {
    std::fs::write(path, format!("{text}\n")).unwrap();
}

pub async fn grant(storage: &LiveStorage, need: &Need) -> Result<Grant, Error> {
    storage.grant(&weu(), need).await
}
