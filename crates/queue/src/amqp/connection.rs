//! One connection to the broker with one channel, and what can be said when there is none.

use std::time::Duration;

use futures::StreamExt;
use lapin::tcp::OwnedTLSConfig;
use lapin::types::ShortString;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind, Event};
use secrecy::ExposeSecret;

use super::{Config, declare};
use crate::Topology;

/// How often each side lets the other know that it lives, in seconds. A peer silent for two of them is gone: without
/// this a cut that no packet tells of is noticed after minutes.
const HEARTBEAT_SECONDS: u16 = 10;

/// Why the broker cannot be used. Each of them names the broker and the user, none the password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is none.
    #[error("the broker's URL is not understood: expected amqp://user:password@host:5672/vhost or amqps://…")]
    Url,
    /// Nobody answers there, or not in AMQP.
    #[error("failed to reach the broker at {broker}: {why}")]
    Reach {
        /// Host and port.
        broker: String,
        /// In words.
        why: String,
    },
    /// The user or the password is wrong.
    #[error("the broker at {broker} refused the login of user `{user}`: wrong name or password")]
    Login {
        /// Host and port.
        broker: String,
        /// The user's name.
        user: String,
    },
    /// The virtual host does not exist, or is closed to this user.
    #[error("the broker at {broker} does not let user `{user}` into virtual host `{vhost}`: {why}")]
    VirtualHost {
        /// Host and port.
        broker: String,
        /// The user's name.
        user: String,
        /// The virtual host.
        vhost: String,
        /// In the broker's words.
        why: String,
    },
    /// The user may not do what Holdfast must do.
    #[error(
        "user `{user}` needs the privileges configure, write and read on the exchanges and queues `{prefix}` and \
         `{prefix}.*` in virtual host `{vhost}`: {why}"
    )]
    Privilege {
        /// The user's name.
        user: String,
        /// What the names begin with.
        prefix: String,
        /// The virtual host.
        vhost: String,
        /// In the broker's words.
        why: String,
    },
    /// Something of that name exists and is different.
    #[error(
        "an exchange or queue in virtual host `{vhost}` differs from what this version of Holdfast declares; delete \
         it, no run is lost by that: {why}"
    )]
    Differs {
        /// The virtual host.
        vhost: String,
        /// In the broker's words.
        why: String,
    },
    /// The queue does not answer, though its broker does.
    #[error("queue `{queue}` does not answer, as one that has no leader")]
    Leaderless {
        /// Its name.
        queue: String,
    },
    /// The broker refused something else.
    #[error("failed to declare exchanges and queues in virtual host `{vhost}`: {why}")]
    Declare {
        /// The virtual host.
        vhost: String,
        /// In words.
        why: String,
    },
}

/// A live connection. Dropped, it is closed, and the broker puts back what was not acked on it.
pub(super) struct Link {
    pub connection: Connection,
    pub channel: Channel,
}

impl Link {
    /// Connects and declares the topology. Every attempt ends within `config.connect_within`.
    pub async fn open(config: &Config, name: &str) -> Result<Self, ConnectError> {
        let uri = uri(config)?;
        let opening = Self::open_at(&uri, config, name);
        let Ok(opened) = tokio::time::timeout(config.connect_within, opening).await else {
            let why = format!("no answer within {} s", config.connect_within.as_secs());
            return Err(ConnectError::Reach { broker: broker(&uri), why });
        };
        opened
    }

    async fn open_at(uri: &AMQPUri, config: &Config, name: &str) -> Result<Self, ConnectError> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let tls = OwnedTLSConfig { identity: None, cert_chain: config.tls_ca.clone() };
        let runtime = lapin::runtime::default_runtime().map_err(|error| not_connected(uri, &error))?;
        let connection = Connection::connect_uri_with_config(uri.clone(), properties, tls, runtime);
        let connection = connection.await.map_err(|error| not_connected(uri, &error))?;
        let channel = connection.create_channel().await.map_err(|error| not_connected(uri, &error))?;
        let declared = declare::topology(&channel, &Topology::new(&config.prefix)).await;
        declared.map_err(|error| not_declared(uri, &config.prefix, &error))?;
        Ok(Self { connection, channel })
    }

    /// Waits until the connection is lost, and says how.
    pub async fn lost(&self) -> String {
        let mut events = std::pin::pin!(self.connection.events_listener());
        // It may have been lost before anybody listened.
        while self.connection.status().connected() {
            match events.next().await {
                Some(Event::Error(error)) => return words(&error),
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(why, "the broker takes no messages: it is short of memory or disk");
                }
                Some(Event::ConnectionUnblocked) => tracing::info!("the broker takes messages again"),
                Some(_) => {}
                None => break,
            }
        }
        "the connection was closed".to_owned()
    }

    /// Says goodbye, so that the broker does not log a cut connection.
    pub async fn close(self) {
        let goodbye = self.connection.close(200, ShortString::from("goodbye"));
        // A broker that does not answer will notice by itself.
        let _ = tokio::time::timeout(Duration::from_secs(2), goodbye).await;
    }
}

/// The error of a channel operation, for people.
pub(super) fn words(error: &lapin::Error) -> String {
    match error.kind() {
        // The broker's own words say it all, and hold no password.
        ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        ErrorKind::InvalidConnectionState(_) | ErrorKind::InvalidChannelState(..) => {
            "the connection was lost".to_owned()
        }
        _ => error.to_string(),
    }
}

/// What `error` means to whoever used the channel of `config`'s connection after it was open.
pub(super) fn refused(config: &Config, error: &lapin::Error) -> ConnectError {
    match uri(config) {
        Ok(uri) => not_declared(&uri, &config.prefix, error),
        Err(error) => error,
    }
}

fn uri(config: &Config) -> Result<AMQPUri, ConnectError> {
    // The parser's own error repeats the URL, with its password.
    let mut uri: AMQPUri = config.url.expose_secret().parse().map_err(|_| ConnectError::Url)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    Ok(uri)
}

fn broker(uri: &AMQPUri) -> String {
    let tls = if uri.scheme == AMQPScheme::AMQPS { " (TLS)" } else { "" };
    format!("{}:{}{tls}", uri.authority.host, uri.authority.port)
}

/// AMQP's reply codes: 403 access refused, 530 not allowed.
fn not_connected(uri: &AMQPUri, error: &lapin::Error) -> ConnectError {
    let (broker, user) = (broker(uri), uri.authority.userinfo.username.clone());
    let why = words(error);
    match code(error) {
        Some(403) => ConnectError::Login { broker, user },
        Some(530) => ConnectError::VirtualHost { broker, user, vhost: uri.vhost.clone(), why },
        _ => ConnectError::Reach { broker, why },
    }
}

/// AMQP's reply codes: 403 access refused, 406 precondition failed.
fn not_declared(uri: &AMQPUri, prefix: &str, error: &lapin::Error) -> ConnectError {
    let (vhost, why) = (uri.vhost.clone(), words(error));
    match code(error) {
        Some(403) => {
            let user = uri.authority.userinfo.username.clone();
            ConnectError::Privilege { user, prefix: prefix.to_owned(), vhost, why }
        }
        Some(406) => ConnectError::Differs { vhost, why },
        _ => ConnectError::Declare { vhost, why },
    }
}

fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}
