//! Dead letters: messages that the broker or a worker refused, to be inspected, retried or dropped.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use holdfast_model::{Timestamp, Wakeup};
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::config::Config;
use super::connect_error::{ConnectError, describe};
use super::connection::{BrokerConnection, refused};
use super::publisher::{not_taken, publish};
use crate::{Topology, Unreadable, message};

/// Maximum number of messages read at once.
const READ_MAX: usize = 10_000;

/// One refused message.
pub struct DeadLetter {
    /// Identifies it across reads. Identical letters share an id.
    pub id: String,
    /// RabbitMQ's reason: `rejected`, `delivery_limit`, `maxlen` or `expired`; `unknown` without a record of its death.
    pub reason: String,
    /// The queue it was in.
    pub queue: String,
    /// When it became a dead letter.
    pub since: Option<Timestamp>,
    /// Its content, or why it cannot be read.
    pub wakeup: Result<Wakeup, Unreadable>,
    /// The size of its body, in bytes.
    pub size: usize,
    /// Its body, which is untrusted: shown on request, never logged.
    pub body: Vec<u8>,
}

/// Selects dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterSelection {
    /// All letters.
    All,
    /// The letters with this id.
    One(String),
}

/// The dead letters of a fleet, on a connection of their own.
pub struct DeadLetters {
    config: Config,
    connection: BrokerConnection,
    topology: Topology,
}

/// An operation on the dead letters failed. No letter is lost.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing}: {why}")]
pub struct DeadLetterError {
    doing: &'static str,
    why: String,
}

impl DeadLetters {
    /// Connects to the broker.
    pub async fn open(config: Config) -> Result<Self, ConnectError> {
        let connection = BrokerConnection::open(&config, "holdfast dead letters").await?;
        let asked = connection.channel.confirm_select(ConfirmSelectOptions::default()).await;
        asked.map_err(|error| refused(&config, &error))?;
        Ok(Self { topology: Topology::new(&config.prefix), config, connection })
    }

    /// The letters, oldest first, at most `limit`. Other readers do not see them until this connection closes.
    pub async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let mut letters: Vec<_> =
            self.taken("list dead letters").await?.into_iter().map(|(letter, _)| letter).collect();
        letters.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        letters.truncate(limit);
        Ok(letters)
    }

    /// The letter with this id.
    pub async fn show(&self, id: &str) -> Result<Option<DeadLetter>, DeadLetterError> {
        let mut taken = self.taken("show a dead letter").await?.into_iter();
        Ok(taken.find(|(letter, _)| letter.id == id).map(|(letter, _)| letter))
    }

    /// Publishes letters to their queues again. Returns their number. A letter that cannot be published stays.
    pub async fn retry(&self, selection: &DeadLetterSelection) -> Result<usize, DeadLetterError> {
        const DOING: &str = "retry a dead letter";
        let mut count = 0;
        for (letter, message) in self.selected(selection, DOING).await? {
            // The queue it died in decides; a letter without a record of its death is not urgent.
            let Topology { normal, urgent, .. } = &self.topology;
            let key = if letter.queue == urgent.name { urgent.routing_key } else { normal.routing_key };
            let mut properties = message.properties.clone();
            let mut headers = FieldTable::default();
            for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
                // With the broker's record of its death it would reach the delivery limit sooner.
                if !name.as_str().starts_with("x-") {
                    headers.insert(name.clone(), value.clone());
                }
            }
            properties = properties.with_headers(headers);
            let sent = publish(
                &self.connection.channel,
                &self.topology.exchange.name,
                key,
                &message.data,
                properties,
            );
            let confirmed = async { sent.await?.await };
            let confirmed = within(&self.config, DOING, confirmed).await?;
            if let Some(why) = not_taken(confirmed) {
                return Err(DeadLetterError { doing: DOING, why });
            }
            // Removed after the new message is confirmed. A crash in between duplicates a wake-up, which is harmless.
            within(&self.config, DOING, message.acker.ack(BasicAckOptions::default())).await?;
            count += 1;
        }
        Ok(count)
    }

    /// Drops letters. Returns their number. No run is lost.
    pub async fn drop(&self, selection: &DeadLetterSelection) -> Result<usize, DeadLetterError> {
        const DOING: &str = "drop a dead letter";
        let mut count = 0;
        for (_, message) in self.selected(selection, DOING).await? {
            within(&self.config, DOING, message.acker.ack(BasicAckOptions::default())).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn selected(
        &self,
        selection: &DeadLetterSelection,
        doing: &'static str,
    ) -> Result<Vec<(DeadLetter, BasicGetMessage)>, DeadLetterError> {
        let mut taken = self.taken(doing).await?;
        if let DeadLetterSelection::One(id) = selection {
            taken.retain(|(letter, _)| letter.id == *id);
        }
        Ok(taken)
    }

    /// Reads letters without acknowledging them.
    async fn taken(
        &self,
        doing: &'static str,
    ) -> Result<Vec<(DeadLetter, BasicGetMessage)>, DeadLetterError> {
        // AMQP cannot peek, so letters read earlier on this connection are requeued first.
        let recover =
            self.connection.channel.basic_recover(lapin::options::BasicRecoverOptions { requeue: true });
        within(&self.config, doing, recover).await?;
        let mut taken = Vec::new();
        while taken.len() < READ_MAX {
            let get = self
                .connection
                .channel
                .basic_get(self.topology.dead_letters.name.as_str().into(), BasicGetOptions::default());
            let Some(message) = within(&self.config, doing, get).await? else { break };
            taken.push((DeadLetter::of(&message), message));
        }
        Ok(taken)
    }

    /// Closes the connection, which returns the letters that were read.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

async fn within<T>(
    config: &Config,
    doing: &'static str,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, DeadLetterError> {
    match tokio::time::timeout(config.confirm_within, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(DeadLetterError { doing, why: describe(&error) }),
        Err(_) => Err(DeadLetterError { doing, why: "the broker does not answer".to_owned() }),
    }
}

impl DeadLetter {
    fn of(message: &BasicGetMessage) -> Self {
        let death = message.properties.headers().as_ref().and_then(first_death);
        let text = |name: &str| death.and_then(|death| death.inner().get(name)).and_then(text_of);
        let since = death.and_then(|death| death.inner().get("time")?.as_timestamp());
        let since = since.and_then(|seconds| Timestamp::from_timestamp(i64::try_from(seconds).ok()?, 0));
        let letter = Self {
            id: String::new(),
            reason: text("reason").unwrap_or_else(|| "unknown".to_owned()),
            queue: text("queue").unwrap_or_default(),
            since,
            wakeup: message::decode(&message.data),
            size: message.data.len(),
            body: message.data.clone(),
        };
        let mut hasher = DefaultHasher::new();
        (&letter.reason, &letter.queue, letter.since, &letter.body).hash(&mut hasher);
        Self { id: format!("{:016x}", hasher.finish()), ..letter }
    }
}

/// The newest death, which the broker puts first.
fn first_death(headers: &FieldTable) -> Option<&FieldTable> {
    match headers.inner().get("x-death")?.as_array()?.as_slice().first()? {
        AMQPValue::FieldTable(death) => Some(death),
        _ => None,
    }
}

fn text_of(value: &AMQPValue) -> Option<String> {
    value.as_long_string().map(ToString::to_string)
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, reason, queue, since, wakeup, size, .. } = self;
        let mut debug = f.debug_struct("DeadLetter");
        debug.field("id", id).field("reason", reason).field("queue", queue).field("since", since);
        debug.field("wakeup", wakeup).field("size", size).finish_non_exhaustive()
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("config", &self.config).finish_non_exhaustive()
    }
}
