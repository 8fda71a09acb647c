//! One connection to the broker with one channel.

use std::time::Duration;

use futures::StreamExt;
use lapin::tcp::OwnedTLSConfig;
use lapin::types::ShortString;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use secrecy::ExposeSecret;

use super::config::Config;
use super::connect_error::{ConnectError, broker, describe, not_connected, not_declared};
use super::declare;
use crate::Topology;

/// Interval of AMQP heartbeats, in seconds. A peer silent for two of them counts as lost.
const HEARTBEAT_SECONDS: u16 = 10;

/// An open connection. Dropping it closes it, and the broker requeues what was not acknowledged on it.
pub(super) struct BrokerConnection {
    pub connection: Connection,
    pub channel: Channel,
}

impl BrokerConnection {
    /// Connects and declares the topology, within `config.connect_within`.
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

    /// Waits until the connection is lost. Returns the reason.
    pub async fn lost(&self) -> String {
        let mut events = std::pin::pin!(self.connection.events_listener());
        // It may have been lost before the listener was added.
        while self.connection.status().connected() {
            match events.next().await {
                Some(Event::Error(error)) => return describe(&error),
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(why, "the broker blocks publishers: it is short of memory or disk");
                }
                Some(Event::ConnectionUnblocked) => tracing::info!("the broker accepts messages again"),
                Some(_) => {}
                None => break,
            }
        }
        "the connection was closed".to_owned()
    }

    /// Closes the connection in an orderly way, so that the broker logs no error.
    pub async fn close(self) {
        let goodbye = self.connection.close(200, ShortString::from("goodbye"));
        // A broker that does not answer detects the closed connection by itself.
        let _ = tokio::time::timeout(Duration::from_secs(2), goodbye).await;
    }
}

/// The error for a channel operation that failed on an open connection.
pub(super) fn refused(config: &Config, error: &lapin::Error) -> ConnectError {
    match uri(config) {
        Ok(uri) => not_declared(&uri, &config.prefix, error),
        Err(error) => error,
    }
}

fn uri(config: &Config) -> Result<AMQPUri, ConnectError> {
    // The parser's own error repeats the URL with its password.
    let mut uri: AMQPUri = config.url.expose_secret().parse().map_err(|_| ConnectError::Url)?;
    uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
    Ok(uri)
}
