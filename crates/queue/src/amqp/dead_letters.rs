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

/// Maximum number of letters that one operation reads. The queue holds no more.
const READ_MAX: u32 = 10_000;

/// Bytes of a body that a list and a look at one letter keep.
const LISTED_BYTES: usize = 256;
const SHOWN_BYTES: usize = 64 * 1024;

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
    /// The beginning of its body, which is untrusted: shown on request, never logged.
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

    /// The oldest letters, at most `limit`, with the first bytes of their bodies. Other readers do not see them until this
    /// connection closes.
    pub async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let (mut letters, mut reading) = (Vec::new(), self.read_all("list dead letters").await?);
        while letters.len() < limit
            && let Some(message) = reading.next().await?
        {
            letters.push(DeadLetter::of(&message, LISTED_BYTES));
        }
        letters.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(letters)
    }

    /// The letter with this id, with at most 64 KiB of its body.
    pub async fn show(&self, id: &str) -> Result<Option<DeadLetter>, DeadLetterError> {
        let mut reading = self.read_all("show a dead letter").await?;
        while let Some(message) = reading.next().await? {
            let letter = DeadLetter::of(&message, SHOWN_BYTES);
            if letter.id == id {
                return Ok(Some(letter));
            }
        }
        Ok(None)
    }

    /// Publishes letters to their queues again. Returns their number. A letter that cannot be published stays.
    pub async fn retry(&self, selection: &DeadLetterSelection) -> Result<usize, DeadLetterError> {
        const DOING: &str = "retry a dead letter";
        let (mut count, mut reading) = (0, self.read_all(DOING).await?);
        while let Some(message) = reading.next().await? {
            let letter = DeadLetter::of(&message, 0);
            if !selection.takes(&letter) {
                continue;
            }
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
        let (mut count, mut reading) = (0, self.read_all(DOING).await?);
        while let Some(message) = reading.next().await? {
            if !selection.takes(&DeadLetter::of(&message, 0)) {
                continue;
            }
            within(&self.config, DOING, message.acker.ack(BasicAckOptions::default())).await?;
            count += 1;
        }
        Ok(count)
    }

    /// Reads the letters that are there now, one by one, so that the memory in use does not depend on their number.
    async fn read_all(&self, doing: &'static str) -> Result<Reading<'_>, DeadLetterError> {
        // AMQP cannot peek, so letters read earlier on this connection are requeued first.
        let recover =
            self.connection.channel.basic_recover(lapin::options::BasicRecoverOptions { requeue: true });
        within(&self.config, doing, recover).await?;
        Ok(Reading { letters: self, doing, left: None })
    }

    /// Closes the connection, which returns the letters that were read.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

/// The letters in the queue, read without acknowledging them.
struct Reading<'a> {
    letters: &'a DeadLetters,
    doing: &'static str,
    /// How many of the letters that were there at the first read are left. What is sent again may come back as a new one.
    left: Option<u32>,
}

impl Reading<'_> {
    /// The next letter.
    async fn next(&mut self) -> Result<Option<BasicGetMessage>, DeadLetterError> {
        if self.left == Some(0) {
            return Ok(None);
        }
        let DeadLetters { config, connection, topology } = self.letters;
        let name = topology.dead_letters.name.as_str().into();
        let get = connection.channel.basic_get(name, BasicGetOptions::default());
        let Some(message) = within(config, self.doing, get).await? else { return Ok(None) };
        let left = self.left.unwrap_or_else(|| READ_MAX.min(message.message_count.saturating_add(1)));
        self.left = Some(left.saturating_sub(1));
        Ok(Some(message))
    }
}

impl DeadLetterSelection {
    fn takes(&self, letter: &DeadLetter) -> bool {
        match self {
            Self::All => true,
            Self::One(id) => letter.id == *id,
        }
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
    /// A letter with the first `bytes` of its body.
    fn of(message: &BasicGetMessage, bytes: usize) -> Self {
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
            body: message.data.iter().take(bytes).copied().collect(),
        };
        let mut hasher = DefaultHasher::new();
        (&letter.reason, &letter.queue, letter.since, &message.data).hash(&mut hasher);
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
