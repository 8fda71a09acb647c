//! The configuration of the connection to RabbitMQ.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::PasswordSource;
use secrecy::SecretString;

/// How to connect to RabbitMQ, and time limits.
#[derive(Debug, Clone)]
pub struct Config {
    /// `amqp://user:password@host:5672/vhost`, or `amqps://…` for TLS. `%2f` is the virtual host `/`. The keys
    /// `cacertfile`, `certfile`, `keyfile` and `auth_mechanism=external` are those of RabbitMQ.
    pub url: SecretString,
    /// Gives the password, which is renewed on open connections; `None` for the login in the URL.
    pub passwords: Option<Arc<dyn PasswordSource>>,
    /// The prefix of the names of exchanges and queues.
    pub prefix: String,
    /// Unacknowledged messages per queue and process. It should equal the number of concurrent steps.
    pub prefetch: u16,
    /// Maximum time to connect.
    pub connect_within: Duration,
    /// Maximum time for the broker to confirm messages and to accept an ack.
    pub confirm_within: Duration,
}

impl Config {
    /// The broker at `url`, with default values for everything else.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            passwords: None,
            prefix: "holdfast".to_owned(),
            prefetch: 16,
            connect_within: Duration::from_secs(10),
            confirm_within: Duration::from_secs(10),
        }
    }
}
