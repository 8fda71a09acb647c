//! The queue on RabbitMQ.

mod backoff;
mod buffer;
mod consumer;
mod dead_letters;
mod declare;
mod link;
mod publisher;
mod settle;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::{Delivery, Error, Message, Queue};
use consumer::{Attached, Intake};
use link::Link;
use publisher::Publisher;

pub use consumer::CONSUMERS;
pub use dead_letters::{DeadLetter, DeadLetterError, DeadLetterSelection, DeadLetters};
pub use link::ConnectError;

/// Where the broker is and how to treat it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `amqp://user:password@host:5672/vhost`, or `amqps://…` for TLS. `%2f` is the virtual host `/`.
    pub url: SecretString,
    /// What the names of exchanges and queues begin with.
    pub prefix: String,
    /// A certificate authority to trust besides the system's, in PEM.
    pub tls_ca: Option<String>,
    /// How many messages of each queue a process holds at once. As many as it takes steps at once is right.
    pub prefetch: u16,
    /// How long a connection may take to come up.
    pub connect_within: Duration,
    /// How long the broker may take to confirm messages, and to take an ack.
    pub confirm_within: Duration,
}

impl Config {
    /// The broker at `url`, everything else as it is best in most places.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            prefix: "holdfast".to_owned(),
            tls_ca: None,
            prefetch: 16,
            connect_within: Duration::from_secs(10),
            confirm_within: Duration::from_secs(10),
        }
    }
}

/// A queue on RabbitMQ: two quorum queues, an urgent and a normal one.
///
/// Publishing and consuming have a connection each, so that a broker which holds publishers back does not keep acks
/// from arriving. Both are rebuilt after every loss, for as long as the queue lives. Consumers are attached by the
/// first [`Queue::receive`] or by [`AmqpQueue::attach`]: a process that only publishes takes no messages.
pub struct AmqpQueue {
    config: Config,
    publisher: Arc<Publisher>,
    intake: Arc<Intake>,
    consuming: Mutex<bool>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

impl AmqpQueue {
    /// Connects, and declares what is missing of the topology. A broker that cannot be used is an error at once; one
    /// that is lost later is waited for.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let link = Link::open(&config, "holdfast publisher").await?;
        let publisher = Arc::new(Publisher::new(&config, &link).await?);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let keeper = (Arc::clone(&publisher), config.clone(), stop.clone());
        tasks.spawn(async move {
            let (publisher, config, stop) = keeper;
            publisher.keep(&config, link, stop).await;
        });
        Ok(Self {
            config,
            publisher,
            intake: Arc::default(),
            consuming: Mutex::new(false),
            tasks,
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Attaches the consumers, where that has not happened yet. An error here is one that waiting does not mend,
    /// such as a missing privilege; without this call it would be logged and tried again for ever.
    pub async fn attach(&self) -> Result<(), ConnectError> {
        let mut consuming = self.consuming.lock().await;
        if !*consuming {
            let attached = match Attached::open(&self.config).await {
                Ok(attached) => Some(attached),
                // This one is mended by trying on.
                Err(ConnectError::Leaderless { .. }) => None,
                Err(error) => return Err(error),
            };
            self.consume(attached);
            *consuming = true;
        }
        Ok(())
    }

    /// How many consumers are attached now: [`CONSUMERS`] when all is well, none while the broker is away.
    pub fn consumers_attached(&self) -> usize {
        self.intake.attached()
    }

    /// Takes no more messages, and gives back those that nobody has received. Those in hand can still be acked, and
    /// messages can still be published; [`Queue::receive`] waits for ever from now on.
    pub fn stop_receiving(&self) {
        self.intake.full.cancel();
    }

    /// Closes both connections in good order. What was not acked goes back.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn consume(&self, first: Option<Attached>) {
        let intake = Arc::clone(&self.intake);
        self.tasks.spawn(intake.keep(self.config.clone(), first, self.stop.clone()));
    }
}

#[async_trait]
impl Queue for AmqpQueue {
    async fn publish(&self, messages: &[Message]) -> Result<(), Error> {
        self.publisher.publish(messages).await
    }

    /// Waits while the broker is away; never an error.
    async fn receive(&self) -> Result<Delivery, Error> {
        {
            let mut consuming = self.consuming.lock().await;
            if !*consuming {
                self.consume(None);
                *consuming = true;
            }
        }
        Ok(self.intake.buffer.take().await)
    }
}

impl fmt::Debug for AmqpQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpQueue")
            .field("config", &self.config)
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
