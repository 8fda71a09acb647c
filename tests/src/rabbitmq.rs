//! A RabbitMQ virtual host for one test.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::servers::Servers;

/// The queue of copies.
const TAP: &str = "tap";

/// An empty virtual host, deleted with this.
#[derive(Debug)]
pub struct VirtualHost {
    amqp: Url,
    admin: Url,
    name: String,
}

impl VirtualHost {
    /// A virtual host on the broker that all tests share; `None` where tests go without.
    ///
    /// # Panics
    ///
    /// When it cannot be made, or the variables are not set.
    pub fn new() -> Option<Self> {
        let (amqp, admin) =
            (crate::service("HOLDFAST_TEST_AMQP_URL")?, crate::service("HOLDFAST_TEST_AMQP_ADMIN")?);
        Some(Self::make(&amqp, &admin))
    }

    /// A virtual host on a broker of the test's own.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn on(servers: &Servers) -> Self {
        Self::make(servers.fact("rabbitmq", "url"), servers.fact("rabbitmq", "admin"))
    }

    fn make(amqp: &str, admin: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let [mut amqp, admin] =
            [amqp, admin].map(|url| Url::parse(url).unwrap_or_else(|error| panic!("{error}")));
        let name = format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        amqp.set_path(&name);
        let this = Self { amqp, admin, name };
        this.ask("PUT", &format!("vhosts/{}", this.name), &json!({}));
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        this.ask("PUT", &format!("permissions/{}/{}", this.name, this.amqp.username()), &all);
        this
    }

    /// Its name on the broker.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, as the broker's administrator.
    pub fn url(&self) -> SecretString {
        SecretString::from(self.amqp.to_string())
    }

    /// Its URL, changed.
    pub fn url_with(&self, change: impl FnOnce(&mut Url)) -> SecretString {
        let mut url = self.amqp.clone();
        change(&mut url);
        SecretString::from(url.to_string())
    }

    /// The administrator's password.
    pub fn password(&self) -> String {
        self.amqp.password().unwrap_or_default().to_owned()
    }

    /// The port its broker listens on.
    pub fn port(&self) -> u16 {
        self.amqp.port().unwrap_or(5672)
    }

    /// A new user of this virtual host alone, with regular expressions for what it may configure, write and read.
    /// Returns the URL as this user. The user goes with the servers.
    pub fn user(&self, name: &str, [configure, write, read]: [&str; 3]) -> SecretString {
        let name = format!("{}-{name}", self.name);
        self.ask("PUT", &format!("users/{name}"), &json!({ "password": "hunter2", "tags": "" }));
        let may = json!({ "configure": configure, "write": write, "read": read });
        self.ask("PUT", &format!("permissions/{}/{name}", self.name), &may);
        self.url_with(|url| {
            // This fails only for URLs without a host.
            let _ = url.set_username(&name).and_then(|()| url.set_password(Some("hunter2")));
        })
    }

    /// Closes every connection to this virtual host by force. Returns how many the broker knew of.
    pub fn close_connections(&self) -> usize {
        let known = self.ask("GET", &format!("vhosts/{}/connections", self.name), &Value::Null);
        let known: Vec<Value> = known.as_array().cloned().unwrap_or_default();
        for connection in &known {
            // Names hold spaces and arrows.
            let mut url = self.admin.clone();
            if let (Ok(mut path), Some(name)) = (url.path_segments_mut(), connection["name"].as_str()) {
                path.extend(["api", "connections", name]);
            }
            self.request("DELETE", url.path(), &Value::Null);
        }
        known.len()
    }

    /// Deletes a queue and all that is in it.
    pub fn delete_queue(&self, name: &str) {
        self.ask("DELETE", &format!("queues/{}/{name}", self.name), &Value::Null);
    }

    /// Makes a queue of the kind that RabbitMQ makes when nothing is said.
    pub fn make_classic_queue(&self, name: &str) {
        self.ask("PUT", &format!("queues/{}/{name}", self.name), &json!({ "durable": true }));
    }

    /// Empties a queue.
    pub fn purge(&self, name: &str) {
        self.ask("DELETE", &format!("queues/{}/{name}/contents", self.name), &Value::Null);
    }

    /// Publishes any body, straight into a queue.
    ///
    /// # Panics
    ///
    /// When there is no such queue.
    pub fn publish(&self, queue: &str, body: &[u8]) {
        // The default exchange, by which a queue is reached under its own name.
        self.publish_to("amq.default", queue, body);
    }

    /// Publishes any body to an exchange.
    ///
    /// # Panics
    ///
    /// When the exchange leads it nowhere.
    pub fn publish_to(&self, exchange: &str, key: &str, body: &[u8]) {
        let message = json!({
            "properties": {}, "routing_key": key, "payload": STANDARD.encode(body), "payload_encoding": "base64",
        });
        let answer = self.ask("POST", &format!("exchanges/{}/{exchange}/publish", self.name), &message);
        assert_eq!(answer["routed"], true, "{exchange} leads {key} nowhere");
    }

    /// From here on keeps a copy of everything that an exchange gets under these routing keys.
    pub fn tap(&self, exchange: &str, keys: &[&str]) {
        self.make_classic_queue(TAP);
        for key in keys {
            let path = format!("bindings/{}/e/{exchange}/q/{TAP}", self.name);
            self.ask("POST", &path, &json!({ "routing_key": key }));
        }
    }

    /// From here on keeps a copy of every wake-up.
    pub fn tap_work(&self) {
        self.tap("holdfast", &["normal", "urgent"]);
    }

    /// The messages of which copies were kept, their bodies and headers, as text. Each is told once.
    pub fn tapped(&self) -> String {
        let all = json!({ "count": 1_000_000, "ackmode": "ack_requeue_false", "encoding": "auto" });
        self.ask("POST", &format!("queues/{}/{TAP}/get", self.name), &all).to_string()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.request(method, &format!("/api/{path}"), body)
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = exchange(&self.admin, &self.words(method, path, &body));
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or_default();
        // What is gone already need not be removed.
        assert!(
            status.starts_with('2') || (status == "404" && method == "DELETE"),
            "{method} {path}: {answer}"
        );
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// HTTP/1.0, so that the answer ends with the connection.
    fn words(&self, method: &str, path: &str, body: &str) -> String {
        let (user, password) = (self.admin.username(), self.admin.password().unwrap_or_default());
        let login = STANDARD.encode(format!("{user}:{password}"));
        format!(
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }
}

fn exchange(to: &Url, request: &str) -> std::io::Result<String> {
    let mut socket = TcpStream::connect((to.host_str().unwrap_or_default(), to.port().unwrap_or(80)))?;
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Drop for VirtualHost {
    fn drop(&mut self) {
        // A broker that is gone has taken it along.
        let _ = exchange(&self.admin, &self.words("DELETE", &format!("/api/vhosts/{}", self.name), ""));
    }
}
