//! The trait `Queue` and its messages.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use holdfast_model::{Priority, Wakeup};

/// Carries wake-ups from dispatchers to workers. It may lose, duplicate and reorder them; the rows tolerate that.
#[async_trait]
pub trait Queue: Send + Sync + Debug {
    /// Publishes messages. `Ok` means that the queue confirmed every one of them.
    async fn publish(&self, messages: &[Message]) -> Result<(), Error>;

    /// Waits for the next message, urgent ones first. Dropping the future loses no message.
    async fn receive(&self) -> Result<Delivery, Error>;
}

/// A wake-up with its urgency and trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The run and its version.
    pub wakeup: Wakeup,
    /// Whether it overtakes messages that are not urgent.
    pub urgent: bool,
    /// Headers of W3C Trace Context (`traceparent`, `tracestate`). The queue does not read them.
    pub trace: BTreeMap<String, String>,
}

impl Message {
    /// A message about a run of this priority. Restores and manual runs are urgent.
    pub fn new(wakeup: Wakeup, priority: Priority) -> Self {
        Self { wakeup, urgent: priority <= Priority::Manual, trace: BTreeMap::new() }
    }

    /// The same message with these trace headers.
    #[must_use]
    pub fn with_trace(self, trace: BTreeMap<String, String>) -> Self {
        Self { trace, ..self }
    }
}

/// A received message. Dropped without [`Delivery::ack`], it returns to the queue, as it does when a worker dies.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    acker: Option<Box<dyn Acker>>,
}

/// Acknowledges a delivery or returns it to its queue.
#[async_trait]
pub trait Acker: Send + Sync + Debug {
    /// Removes the message from the queue.
    async fn ack(self: Box<Self>) -> Result<(), Error>;

    /// Returns the message to the queue.
    fn requeue(self: Box<Self>);
}

impl Delivery {
    /// A delivery that `acker` acknowledges or returns.
    pub fn new(message: Message, acker: Box<dyn Acker>) -> Self {
        Self { message, acker: Some(acker) }
    }

    /// Acknowledges the message: it was processed.
    pub async fn ack(mut self) -> Result<(), Error> {
        match self.acker.take() {
            Some(acker) => acker.ack().await,
            None => Ok(()),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(acker) = self.acker.take() {
            acker.requeue();
        }
    }
}

/// An operation of a queue failed. Callers need not act: the leases of unsent messages expire, and their runs are due
/// again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some of the messages may not have reached the queue.
    #[error("failed to publish {count} messages: {why}")]
    Publish {
        /// The number of messages.
        count: usize,
        /// The reason as text.
        why: String,
    },
    /// No message can be received.
    #[error("failed to receive a message: {0}")]
    Receive(String),
    /// The message may be delivered again.
    #[error("failed to acknowledge a message: {0}")]
    Ack(String),
}
