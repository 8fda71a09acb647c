//! The connection that publishes: kept up by a task of its own, so that publishing never waits out a backoff.

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
use super::link::{Link, words};
use super::{Config, ConnectError};
use crate::{Error, Message, Topology, message};

/// At most this many messages wait for their confirmations at once.
const WINDOW: usize = 500;

/// What publishing finds when it looks.
#[derive(Clone)]
enum State {
    Up(Up),
    Down(Arc<str>),
}

/// A connection that stands.
#[derive(Clone)]
struct Up {
    channel: Channel,
    status: ConnectionStatus,
    /// Rung by whoever finds it of no use.
    broken: Arc<Notify>,
}

impl Up {
    fn over(link: &Link) -> Self {
        Self {
            channel: link.channel.clone(),
            status: link.connection.status().clone(),
            broken: Arc::default(),
        }
    }
}

/// Publishes over whichever connection there is.
pub(super) struct Publisher {
    exchange: String,
    confirm_within: Duration,
    state: watch::Sender<State>,
}

/// A message did not arrive.
enum Fault {
    /// The connection is of no more use.
    Broken(String),
    /// The broker said no.
    Refused(String),
}

impl Publisher {
    /// A publisher over `link`.
    pub async fn new(config: &Config, link: &Link) -> Result<Self, ConnectError> {
        confirmed(config, link).await?;
        Ok(Self {
            exchange: Topology::new(&config.prefix).exchange.name,
            confirm_within: config.confirm_within,
            state: watch::Sender::new(State::Up(Up::over(link))),
        })
    }

    /// Keeps a connection up until `stop`.
    pub async fn keep(&self, config: &Config, mut link: Link, stop: CancellationToken) {
        loop {
            let up = self.up().await;
            let why = tokio::select! {
                () = stop.cancelled() => return link.close().await,
                why = link.lost() => why,
                () = up.broken.notified() => "it was of no more use".to_owned(),
            };
            tracing::warn!(why, "the connection that publishes to the broker was lost");
            self.state.send_replace(State::Down(why.into()));
            link.close().await;
            let Some(next) = self.connect(config, &stop).await else { return };
            tracing::info!("connected to the broker again, to publish");
            self.state.send_replace(State::Up(Up::over(&next)));
            link = next;
        }
    }

    async fn connect(&self, config: &Config, stop: &CancellationToken) -> Option<Link> {
        let mut backoff = Backoff::new();
        while backoff.pause(stop).await {
            let opened = async {
                let link = Link::open(config, "holdfast publisher").await?;
                confirmed(config, &link).await?;
                Ok::<_, ConnectError>(link)
            };
            match opened.await {
                Ok(link) => return Some(link),
                Err(error) => {
                    tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "the broker cannot be used yet"
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
            // A new connection would be held back too.
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
            // The sender lives as long as we do.
            let _ = state.changed().await;
        }
    }

    fn why_down(&self) -> String {
        match &*self.state.borrow() {
            State::Down(why) => why.to_string(),
            State::Up(_) => "the broker was away".to_owned(),
        }
    }

    async fn send(&self, up: &Up, messages: &[Message]) -> Result<(), Fault> {
        let mut confirms = Vec::with_capacity(messages.len());
        for message in messages {
            let key = if message.urgent { "urgent" } else { "normal" };
            let (body, properties) = (message::encode(message.wakeup), properties(message));
            let sent = publish(&up.channel, &self.exchange, key, &body, properties).await;
            confirms.push(sent.map_err(|error| Fault::Broken(words(&error)))?);
        }
        let confirms = try_join_all(confirms).await.map_err(|error| Fault::Broken(words(&error)))?;
        confirms.into_iter().try_for_each(taken)
    }
}

/// Every publish is mandatory: a message that no queue takes comes back, where it would else be gone unseen.
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

/// Why the broker did not take a message, where it did not.
pub(super) fn not_taken(confirmation: Confirmation) -> Option<String> {
    match confirmation {
        // A message that came back is acked too: the broker has done with it.
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
        // Somebody deleted a queue: a new connection declares it anew.
        Some(why) if came_back => Err(Fault::Broken(why)),
        Some(why) => Err(Fault::Refused(why)),
    }
}

fn unroutable(returned: &BasicReturnMessage) -> String {
    format!("no queue takes messages of exchange `{}`: {}", returned.exchange, returned.reply_text)
}

async fn confirmed(config: &Config, link: &Link) -> Result<(), ConnectError> {
    let asked = link.channel.confirm_select(ConfirmSelectOptions::default()).await;
    asked.map_err(|error| super::link::refused(config, &error))
}

fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &message.trace {
        // AMQP's names are short. No name of W3C's is longer.
        if let Ok(name) = ShortString::try_new(name.as_str()) {
            headers.insert(name, AMQPValue::LongString(value.as_str().into()));
        }
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        // Persistent, though quorum queues keep every message on disk: it says so to whoever looks.
        .with_delivery_mode(2)
        .with_headers(headers)
}
