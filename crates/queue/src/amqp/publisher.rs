//! The publishing connection, which a task rebuilds so that publishing never waits for a backoff.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, ConnectionStatus};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::config::Config;
use super::connect_error::{ConnectError, describe};
use super::connection::{BrokerConnection, refused};
use crate::{Error, Message, Topology, message};

/// Maximum number of messages that wait for confirmation at once.
const WINDOW: usize = 500;

/// Whether there is a connection.
#[derive(Clone)]
enum State {
    Up(Up),
    Down(Arc<str>),
}

/// An open connection.
#[derive(Clone)]
struct Up {
    channel: Channel,
    status: ConnectionStatus,
    /// Notified when publishing finds the connection unusable.
    broken: Arc<Notify>,
}

impl Up {
    fn over(connection: &BrokerConnection) -> Self {
        Self {
            channel: connection.channel.clone(),
            status: connection.connection.status().clone(),
            broken: Arc::default(),
        }
    }
}

/// Publishes over the current connection.
pub(super) struct Publisher {
    exchange: String,
    confirm_within: Duration,
    state: watch::Sender<State>,
}

/// Why a message was not accepted.
enum Fault {
    /// The connection is unusable.
    Broken(String),
    /// The broker refused the message.
    Refused(String),
}

impl Publisher {
    /// A publisher over `connection`.
    pub async fn new(config: &Config, connection: &BrokerConnection) -> Result<Self, ConnectError> {
        confirmed(config, connection).await?;
        Ok(Self {
            exchange: Topology::new(&config.prefix).exchange.name,
            confirm_within: config.confirm_within,
            state: watch::Sender::new(State::Up(Up::over(connection))),
        })
    }

    /// Rebuilds the connection after every loss, until `stop`.
    pub async fn run(
        self: Arc<Self>,
        config: Config,
        mut connection: BrokerConnection,
        stop: CancellationToken,
    ) {
        loop {
            let up = self.up().await;
            let why = tokio::select! {
                () = stop.cancelled() => return connection.close().await,
                why = connection.lost() => why,
                () = up.broken.notified() => "it became unusable".to_owned(),
            };
            tracing::warn!(why, "the publishing connection to the broker was lost");
            self.state.send_replace(State::Down(why.into()));
            connection.close().await;
            let Some(next) = self.connect(&config, &stop).await else { return };
            tracing::info!("the publishing connection to the broker is up again");
            self.state.send_replace(State::Up(Up::over(&next)));
            connection = next;
        }
    }

    async fn connect(&self, config: &Config, stop: &CancellationToken) -> Option<BrokerConnection> {
        let mut backoff = Backoff::new();
        while backoff.pause(stop).await {
            let opened = async {
                let connection = BrokerConnection::open(config, "holdfast publisher").await?;
                confirmed(config, &connection).await?;
                Ok::<_, ConnectError>(connection)
            };
            match opened.await {
                Ok(connection) => return Some(connection),
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "failed to connect to the broker"
                    );
                    self.state.send_replace(State::Down(error.to_string().into()));
                }
            }
        }
        None
    }

    pub async fn publish(&self, messages: &[Message]) -> Result<(), Error> {
        for window in messages.chunks(WINDOW) {
            if let Err(why) = self.publish_window(window).await {
                return Err(Error::Publish { count: messages.len(), why });
            }
        }
        Ok(())
    }

    async fn publish_window(&self, messages: &[Message]) -> Result<(), String> {
        let Ok(up) = tokio::time::timeout(self.confirm_within, self.up()).await else {
            return Err(self.why_down());
        };
        let fault = match tokio::time::timeout(self.confirm_within, self.send(&up, messages)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(fault)) => fault,
            // The broker would block a new connection too.
            Err(_) if up.status.blocked() => {
                Fault::Refused("the broker is short of memory or disk".to_owned())
            }
            Err(_) => {
                Fault::Broken(format!("no confirmation within {} s", self.confirm_within.as_secs_f64()))
            }
        };
        match fault {
            Fault::Refused(why) => Err(why),
            Fault::Broken(why) => {
                up.broken.notify_one();
                Err(why)
            }
        }
    }

    /// The connection, once there is one.
    async fn up(&self) -> Up {
        let mut state = self.state.subscribe();
        loop {
            if let State::Up(up) = &*state.borrow_and_update() {
                return up.clone();
            }
            // The sender lives as long as `self`.
            let _ = state.changed().await;
        }
    }

    fn why_down(&self) -> String {
        match &*self.state.borrow() {
            State::Down(why) => why.to_string(),
            State::Up(_) => "the broker was unavailable".to_owned(),
        }
    }

    async fn send(&self, up: &Up, messages: &[Message]) -> Result<(), Fault> {
        let mut confirms = Vec::with_capacity(messages.len());
        for message in messages {
            let key = if message.urgent { "urgent" } else { "normal" };
            let (body, properties) = (message::encode(message.wakeup), properties(message));
            let sent = publish(&up.channel, &self.exchange, key, &body, properties).await;
            confirms.push(sent.map_err(|error| Fault::Broken(describe(&error)))?);
        }
        let confirms = try_join_all(confirms).await.map_err(|error| Fault::Broken(describe(&error)))?;
        confirms.into_iter().try_for_each(taken)
    }
}

/// Publishes with `mandatory`, so that the broker returns a message that no queue takes instead of dropping it.
pub(super) async fn publish(
    channel: &Channel,
    exchange: &str,
    key: &str,
    body: &[u8],
    properties: BasicProperties,
) -> lapin::Result<lapin::PublisherConfirm> {
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    channel.basic_publish(exchange.into(), key.into(), options, body, properties).await
}

/// Why the broker did not accept a message; `None` if it did.
pub(super) fn not_taken(confirmation: Confirmation) -> Option<String> {
    match confirmation {
        // The broker acks returned messages too.
        Confirmation::Ack(None) => None,
        Confirmation::Ack(Some(returned)) => Some(unroutable(&returned)),
        Confirmation::Nack(_) => {
            Some("the broker refused a message: its queue is full or has no leader".to_owned())
        }
        Confirmation::NotRequested => Some("the broker was not asked to confirm".to_owned()),
    }
}

fn taken(confirmation: Confirmation) -> Result<(), Fault> {
    let came_back = matches!(confirmation, Confirmation::Ack(Some(_)));
    match not_taken(confirmation) {
        None => Ok(()),
        // A queue was deleted; a new connection declares it again.
        Some(why) if came_back => Err(Fault::Broken(why)),
        Some(why) => Err(Fault::Refused(why)),
    }
}

fn unroutable(returned: &BasicReturnMessage) -> String {
    format!("no queue takes messages of exchange `{}`: {}", returned.exchange, returned.reply_text)
}

async fn confirmed(config: &Config, connection: &BrokerConnection) -> Result<(), ConnectError> {
    let asked = connection.channel.confirm_select(ConfirmSelectOptions::default()).await;
    asked.map_err(|error| refused(config, &error))
}

fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &message.trace {
        // AMQP limits names to 255 bytes; those of W3C Trace Context are shorter.
        if let Ok(name) = ShortString::try_new(name.as_str()) {
            headers.insert(name, AMQPValue::LongString(value.as_str().into()));
        }
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        // Quorum queues persist every message; the flag documents that.
        .with_delivery_mode(2)
        .with_headers(headers)
}
