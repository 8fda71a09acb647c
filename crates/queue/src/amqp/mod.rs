//! The queue on RabbitMQ.

mod acker;
mod backoff;
mod broker_url;
mod config;
mod connect_error;
mod connection;
mod consumer;
mod dead_letters;
mod declare;
mod log_limit;
mod publisher;
mod token_renewal;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::{Delivery, Error, Message, Queue};
use connection::BrokerConnection;
use consumer::{ConsumerSupervisor, Consumers};
use publisher::Publisher;

pub use config::Config;
pub use connect_error::ConnectError;
pub use consumer::CONSUMERS;
pub use dead_letters::{DeadLetter, DeadLetterError, DeadLetterSelection, DeadLetters};
pub use wire::{BrokerWire, broker_wire};

/// A queue on RabbitMQ: two quorum queues, an urgent and a normal one.
///
/// Publishing and consuming use one connection each, because a broker that blocks a publisher's connection also delays
/// its acks. Both are rebuilt after every loss. The first [`Queue::receive`] or [`AmqpQueue::attach`] attaches the
/// consumers, so a process that only publishes receives no messages.
pub struct AmqpQueue {
    config: Config,
    publisher: Arc<Publisher>,
    consumers: Arc<ConsumerSupervisor>,
    consuming: Mutex<bool>,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

impl AmqpQueue {
    /// Connects, and declares what is missing of the topology.
    ///
    /// Fails if the broker cannot be used. A connection lost later is rebuilt in the background.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        let connection = BrokerConnection::open(&config, "holdfast publisher").await?;
        let publisher = Arc::new(Publisher::new(&config, &connection).await?);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(Arc::clone(&publisher).run(config.clone(), connection, stop.clone()));
        Ok(Self {
            config,
            publisher,
            consumers: Arc::default(),
            consuming: Mutex::new(false),
            tasks,
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Attaches the consumers unless they are attached.
    ///
    /// Fails with errors that waiting cannot resolve, such as a missing privilege. Without this call they would be
    /// logged and retried forever.
    pub async fn attach(&self) -> Result<(), ConnectError> {
        let mut consuming = self.consuming.lock().await;
        if !*consuming {
            let first = match Consumers::open(&self.config).await {
                Ok(consumers) => Some(consumers),
                // The background task recreates such a queue.
                Err(ConnectError::Leaderless { .. }) => None,
                Err(error) => return Err(error),
            };
            self.consume(first);
            *consuming = true;
        }
        Ok(())
    }

    /// The number of attached consumers: [`CONSUMERS`], or 0 while the broker is unavailable.
    pub fn consumers_attached(&self) -> usize {
        self.consumers.attached()
    }

    /// Stops receiving, and returns buffered messages to the broker.
    ///
    /// Received messages can still be acknowledged and new ones published. [`Queue::receive`] waits forever.
    pub fn stop_receiving(&self) {
        self.consumers.stop_receiving.cancel();
    }

    /// Closes both connections in an orderly way. The broker requeues what was not acknowledged.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn consume(&self, first: Option<Consumers>) {
        let consumers = Arc::clone(&self.consumers);
        self.tasks.spawn(consumers.run(self.config.clone(), first, self.stop.clone()));
    }
}

#[async_trait]
impl Queue for AmqpQueue {
    async fn publish(&self, messages: &[Message]) -> Result<(), Error> {
        self.publisher.publish(messages).await
    }

    /// Waits while the broker is unavailable; never fails.
    async fn receive(&self) -> Result<Delivery, Error> {
        {
            let mut consuming = self.consuming.lock().await;
            if !*consuming {
                self.consume(None);
                *consuming = true;
            }
        }
        Ok(self.consumers.buffer.take().await)
    }
}

impl fmt::Debug for AmqpQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpQueue")
            .field("config", &self.config)
            .field("consumers", &self.consumers)
            .finish_non_exhaustive()
    }
}
