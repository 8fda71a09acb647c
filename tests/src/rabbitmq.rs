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

/// The queue that receives the copies of messages.
const TAP: &str = "tap";

/// An empty virtual host. Dropping this value deletes it.
#[derive(Debug)]
pub struct VirtualHost {
    amqp: Url,
    admin: Url,
    name: String,
}

impl VirtualHost {
    /// Creates a virtual host on the shared broker. `None` when tests run without servers.
    ///
    /// # Panics
    ///
    /// If the virtual host cannot be created, or the variables are not set.
    pub fn new() -> Option<Self> {
        let (amqp, admin) =
            (crate::service("HOLDFAST_TEST_AMQP_URL")?, crate::service("HOLDFAST_TEST_AMQP_ADMIN")?);
        Some(Self::make(&amqp, &admin))
    }

    /// Creates a virtual host on the test's private broker.
    ///
    /// # Panics
    ///
    /// If the virtual host cannot be created.
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

    /// The name of the virtual host.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL for the broker's administrator.
    pub fn url(&self) -> SecretString {
        SecretString::from(self.amqp.to_string())
    }

    /// The URL after `change` was applied.
    pub fn url_with(&self, change: impl FnOnce(&mut Url)) -> SecretString {
        let mut url = self.amqp.clone();
        change(&mut url);
        SecretString::from(url.to_string())
    }

    /// The administrator's password.
    pub fn password(&self) -> String {
        self.amqp.password().unwrap_or_default().to_owned()
    }

    /// The AMQP port of the broker.
    pub fn port(&self) -> u16 {
        self.amqp.port().unwrap_or(5672)
    }

    /// Creates a user of this virtual host. The permissions are regular expressions for configure, write and read.
    /// Returns the URL for the user, who remains until the servers stop.
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

    /// Creates a user without a password who may do everything in this virtual host.
    pub fn user_named(&self, name: &str) {
        self.ask("PUT", &format!("users/{name}"), &json!({ "password_hash": "", "tags": "" }));
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        self.ask("PUT", &format!("permissions/{}/{name}", self.name), &all);
    }

    /// Closes every connection to this virtual host. Returns their number.
    pub fn close_connections(&self) -> usize {
        let known = self.ask("GET", &format!("vhosts/{}/connections", self.name), &Value::Null);
        let known: Vec<Value> = known.as_array().cloned().unwrap_or_default();
        for connection in &known {
            // Names of connections contain spaces and arrows.
            let mut url = self.admin.clone();
            if let (Ok(mut path), Some(name)) = (url.path_segments_mut(), connection["name"].as_str()) {
                path.extend(["api", "connections", name]);
            }
            self.request("DELETE", url.path(), &Value::Null);
        }
        known.len()
    }

    /// Deletes a queue and its messages.
    pub fn delete_queue(&self, name: &str) {
        self.ask("DELETE", &format!("queues/{}/{name}", self.name), &Value::Null);
    }

    /// Declares a queue of RabbitMQ's default type.
    pub fn make_classic_queue(&self, name: &str) {
        self.ask("PUT", &format!("queues/{}/{name}", self.name), &json!({ "durable": true }));
    }

    /// Deletes all messages of a queue.
    pub fn purge(&self, name: &str) {
        self.ask("DELETE", &format!("queues/{}/{name}/contents", self.name), &Value::Null);
    }

    /// Publishes any body to a queue.
    ///
    /// # Panics
    ///
    /// If the queue does not exist.
    pub fn publish(&self, queue: &str, body: &[u8]) {
        // The default exchange routes by the name of the queue.
        self.publish_to("amq.default", queue, body);
    }

    /// Publishes any body to an exchange.
    ///
    /// # Panics
    ///
    /// If the exchange routes the message to no queue.
    pub fn publish_to(&self, exchange: &str, key: &str, body: &[u8]) {
        let message = json!({
            "properties": {}, "routing_key": key, "payload": STANDARD.encode(body), "payload_encoding": "base64",
        });
        let answer = self.ask("POST", &format!("exchanges/{}/{exchange}/publish", self.name), &message);
        assert_eq!(answer["routed"], true, "{exchange} leads {key} nowhere");
    }

    /// Copies all further messages of an exchange with these routing keys.
    pub fn tap(&self, exchange: &str, keys: &[&str]) {
        self.make_classic_queue(TAP);
        for key in keys {
            let path = format!("bindings/{}/e/{exchange}/q/{TAP}", self.name);
            self.ask("POST", &path, &json!({ "routing_key": key }));
        }
    }

    /// Copies all further wake-ups.
    pub fn tap_work(&self) {
        self.tap("holdfast", &["normal", "urgent"]);
    }

    /// The bodies and headers of the copied messages, as text. Each call returns only new ones.
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
        // An object that is already gone needs no deletion.
        assert!(
            status.starts_with('2') || (status == "404" && method == "DELETE"),
            "{method} {path}: {answer}"
        );
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// HTTP/1.0, so that the response ends with the connection.
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
        // An error means that the broker, and the virtual host with it, is already gone.
        let _ = exchange(&self.admin, &self.words("DELETE", &format!("/api/vhosts/{}", self.name), ""));
    }
}
