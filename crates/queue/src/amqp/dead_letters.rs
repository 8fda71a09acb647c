//! Dead letters: what the broker or a worker refused, for people to look at, send again or forget.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use holdfast_model::{Timestamp, Wakeup};
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::link::{Link, refused, words};
use super::publisher::{not_taken, publish};
use super::{Config, ConnectError};
use crate::{Topology, Unreadable, message};

/// No look takes more than this many messages.
const LOOK_MAX: usize = 10_000;

/// One message that was refused.
pub struct DeadLetter {
    /// Names it, from one look to the next. Letters that are alike in everything share a name.
    pub id: String,
    /// As RabbitMQ says: `rejected`, `delivery_limit`, `maxlen` or `expired`; `unknown` when it came here in no usual way.
    pub reason: String,
    /// The queue it was in.
    pub queue: String,
    /// Since when it is here.
    pub since: Option<Timestamp>,
    /// What it says, or why it says nothing.
    pub wakeup: Result<Wakeup, Unreadable>,
    /// The size of its body, in bytes.
    pub size: usize,
    /// Its body, which anybody may have written: to be shown to people who ask for it, never logged.
    pub body: Vec<u8>,
}

/// Which letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterSelection {
    /// All of them.
    All,
    /// Those of this name.
    One(String),
}

/// The dead letters of a fleet, on a connection of their own.
pub struct DeadLetters {
    config: Config,
    link: Link,
    topology: Topology,
}

/// Failed to work on the dead letters. None is lost by that.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing}: {why}")]
pub struct DeadLetterError {
    doing: &'static str,
    why: String,
}

impl DeadLetters {
    /// Connects.
    pub async fn open(config: Config) -> Result<Self, ConnectError> {
        let link = Link::open(&config, "holdfast dead letters").await?;
        let asked = link.channel.confirm_select(ConfirmSelectOptions::default()).await;
        asked.map_err(|error| refused(&config, &error))?;
        Ok(Self { topology: Topology::new(&config.prefix), config, link })
    }

    /// The letters, oldest first, at most `limit` of them. While one looks, nobody else sees them.
    pub async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let mut letters: Vec<_> =
            self.taken("list dead letters").await?.into_iter().map(|(letter, _)| letter).collect();
        letters.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        letters.truncate(limit);
        Ok(letters)
    }

    /// The letter of this name.
    pub async fn show(&self, id: &str) -> Result<Option<DeadLetter>, DeadLetterError> {
        let mut taken = self.taken("show a dead letter").await?.into_iter();
        Ok(taken.find(|(letter, _)| letter.id == id).map(|(letter, _)| letter))
    }

    /// Sends letters again to where they came from. Returns how many. One that cannot be sent stays.
    pub async fn retry(&self, pick: &DeadLetterSelection) -> Result<usize, DeadLetterError> {
        const DOING: &str = "send a dead letter again";
        let mut count = 0;
        for (letter, message) in self.picked(pick, DOING).await? {
            // By the queue it died in; what came here in no usual way is not urgent.
            let Topology { normal, urgent, .. } = &self.topology;
            let key = if letter.queue == urgent.name { urgent.routing_key } else { normal.routing_key };
            let mut properties = message.properties.clone();
            let mut headers = FieldTable::default();
            for (name, value) in properties.headers().iter().flat_map(FieldTable::inner) {
                // The broker's notes on its death would have it die again sooner.
                if !name.as_str().starts_with("x-") {
                    headers.insert(name.clone(), value.clone());
                }
            }
            properties = properties.with_headers(headers);
            let sent =
                publish(&self.link.channel, &self.topology.exchange.name, key, &message.data, properties);
            let confirmed = async { sent.await?.await };
            let confirmed = within(&self.config, DOING, confirmed).await?;
            if let Some(why) = not_taken(confirmed) {
                return Err(DeadLetterError { doing: DOING, why });
            }
            // Removed after the new one has arrived. A crash between the two doubles a wake-up, which harms nobody.
            within(&self.config, DOING, message.acker.ack(BasicAckOptions::default())).await?;
            count += 1;
        }
        Ok(count)
    }

    /// Forgets letters. Returns how many. No run is lost by that.
    pub async fn drop(&self, pick: &DeadLetterSelection) -> Result<usize, DeadLetterError> {
        const DOING: &str = "drop a dead letter";
        let mut count = 0;
        for (_, message) in self.picked(pick, DOING).await? {
            within(&self.config, DOING, message.acker.ack(BasicAckOptions::default())).await?;
            count += 1;
        }
        Ok(count)
    }

    async fn picked(
        &self,
        pick: &DeadLetterSelection,
        doing: &'static str,
    ) -> Result<Vec<(DeadLetter, BasicGetMessage)>, DeadLetterError> {
        let mut taken = self.taken(doing).await?;
        if let DeadLetterSelection::One(id) = pick {
            taken.retain(|(letter, _)| letter.id == *id);
        }
        Ok(taken)
    }

    /// Takes letters without acking them.
    async fn taken(
        &self,
        doing: &'static str,
    ) -> Result<Vec<(DeadLetter, BasicGetMessage)>, DeadLetterError> {
        // Those that an earlier look on this connection took are put back first: AMQP has no way of only looking.
        let recover = self.link.channel.basic_recover(lapin::options::BasicRecoverOptions { requeue: true });
        within(&self.config, doing, recover).await?;
        let mut taken = Vec::new();
        while taken.len() < LOOK_MAX {
            let get = self
                .link
                .channel
                .basic_get(self.topology.dead.name.as_str().into(), BasicGetOptions::default());
            let Some(message) = within(&self.config, doing, get).await? else { break };
            taken.push((DeadLetter::of(&message), message));
        }
        Ok(taken)
    }

    /// Puts back what was looked at, and closes the connection.
    pub async fn close(self) {
        self.link.close().await;
    }
}

async fn within<T>(
    config: &Config,
    doing: &'static str,
    work: impl Future<Output = lapin::Result<T>>,
) -> Result<T, DeadLetterError> {
    match tokio::time::timeout(config.confirm_within, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(DeadLetterError { doing, why: words(&error) }),
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

/// The broker keeps the newest death at the front.
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
