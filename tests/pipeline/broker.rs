//! A broker through its management API: what an operator may do to it.

use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_model::{Clock as _, SystemClock};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// A name on the shared servers that no other test has.
pub(crate) fn unused_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemClock::default().now().timestamp_millis();
    format!("pipeline_{}_{now}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// One virtual host of a broker.
pub(crate) struct Broker {
    client: reqwest::Client,
    admin: String,
    url: String,
    host: String,
}

impl Broker {
    /// The virtual host `/` of the broker with this management API. Both URLs name user and password.
    pub(crate) fn new(admin: &str, url: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().build().unwrap();
        Self { client, admin: admin.to_owned(), url: url.to_owned(), host: "%2f".to_owned() }
    }

    /// A virtual host of its own on the tests' shared broker; `None` where tests may pass without.
    pub(crate) async fn shared() -> Option<Self> {
        let admin = holdfast_tests::service("HOLDFAST_TEST_AMQP_ADMIN")?;
        let url = holdfast_tests::service("HOLDFAST_TEST_AMQP_URL")?;
        let shared = Self::new(&admin, &url);
        let host = unused_name();
        shared.call(Method::PUT, &format!("vhosts/{host}"), json!({})).await;
        Some(Self { url: url.replace("/%2f", &format!("/{host}")), host, ..shared })
    }

    /// For clients, as its administrator.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// For clients, as somebody else.
    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        let (_, address) = self.url.rsplit_once('@').unwrap();
        format!("amqp://{user}:{password}@{address}")
    }

    /// A user who may do what the three patterns say: configure, write, read.
    pub(crate) async fn add_user(&self, user: &str, password: &str, [configure, write, read]: [&str; 3]) {
        let who = json!({ "password": password, "tags": "" });
        self.call(Method::PUT, &format!("users/{user}"), who).await;
        let may = json!({ "configure": configure, "write": write, "read": read });
        self.call(Method::PUT, &format!("permissions/{}/{user}", self.host), may).await;
    }

    /// Takes a user away.
    pub(crate) async fn remove_user(&self, user: &str) {
        self.call(Method::DELETE, &format!("users/{user}"), Value::Null).await;
    }

    /// The queues: their names.
    pub(crate) async fn queues(&self) -> Vec<String> {
        let path = format!("queues/{}?columns=name", self.host);
        let queues = self.call(Method::GET, &path, Value::Null).await;
        let queues: Value = queues.json().await.unwrap();
        queues.as_array().unwrap().iter().map(|queue| queue["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The queues that carry work: not the one for messages that nobody can read.
    pub(crate) async fn work_queues(&self) -> Vec<String> {
        self.queues().await.into_iter().filter(|name| !name.contains("dead")).collect()
    }

    /// Forgets the messages of a queue.
    pub(crate) async fn purge(&self, queue: &str) {
        self.call(Method::DELETE, &format!("queues/{}/{queue}/contents", self.host), Value::Null).await;
    }

    /// Takes a queue away: its consumers are cancelled.
    pub(crate) async fn delete_queue(&self, queue: &str) {
        self.call(Method::DELETE, &format!("queues/{}/{queue}", self.host), Value::Null).await;
    }

    /// Puts a message into a queue.
    pub(crate) async fn publish(&self, queue: &str, payload: &str) {
        let message = json!({ "properties": {}, "routing_key": queue, "payload": payload, "payload_encoding": "string" });
        let path = format!("exchanges/{}/amq.default/publish", self.host);
        let answer: Value = self.call(Method::POST, &path, message).await.json().await.unwrap();
        assert_eq!(answer["routed"], true, "{queue} is there");
    }

    /// Looks at messages of a queue, and leaves them there: their payloads.
    pub(crate) async fn look(&self, queue: &str) -> Vec<String> {
        let how = json!({ "count": 100, "ackmode": "ack_requeue_true", "encoding": "auto" });
        let path = format!("queues/{}/{queue}/get", self.host);
        let messages: Value = self.call(Method::POST, &path, how).await.json().await.unwrap();
        let payload = |message: &Value| message["payload"].as_str().unwrap().to_owned();
        messages.as_array().unwrap().iter().map(payload).collect()
    }

    /// Says how queues of this virtual host behave, over what they were made with.
    pub(crate) async fn set_policy(&self, definition: Value) {
        let policy = json!({ "pattern": ".*", "apply-to": "queues", "definition": definition });
        self.call(Method::PUT, &format!("policies/{}/test", self.host), policy).await;
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Response {
        let request = self.client.request(method, format!("{}/api/{path}", self.admin));
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        // What is not there needs no taking away.
        let status = answer.status();
        assert!(status.is_success() || status == StatusCode::NOT_FOUND, "{path}: {status}");
        answer
    }
}
