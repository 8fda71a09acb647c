//! What a queue must do.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use holdfast_model::{Priority, Wakeup};

/// Takes wake-ups from dispatchers to workers. It may lose, double and reorder them; the rows make up for it.
#[async_trait]
pub trait Queue: Send + Sync + Debug {
    /// Hands over messages. When it returns well, the queue has confirmed every one of them.
    async fn publish(&self, messages: &[Message]) -> Result<(), Error>;

    /// Waits for the next message, urgent ones first. Safe to drop while waiting: no message is lost by it.
    async fn receive(&self) -> Result<Delivery, Error>;
}

/// A wake-up and how urgent it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which run, in which version.
    pub wakeup: Wakeup,
    /// Overtakes those that are not.
    pub urgent: bool,
    /// Where its trace began, in the words of W3C Trace Context (`traceparent`, `tracestate`); nothing here reads it.
    pub trace: BTreeMap<String, String>,
}

impl Message {
    /// A message about a run of this priority: people's runs are urgent, schedules' are not.
    pub fn new(wakeup: Wakeup, priority: Priority) -> Self {
        Self { wakeup, urgent: priority <= Priority::Manual, trace: BTreeMap::new() }
    }

    /// The same message, on this trace.
    #[must_use]
    pub fn with_trace(self, trace: BTreeMap<String, String>) -> Self {
        Self { trace, ..self }
    }
}

/// A message in a worker's hands. Dropped without [`Delivery::ack`] it goes back to the queue, as it does when a
/// worker dies.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    settle: Option<Box<dyn Settle>>,
}

/// What a queue does with a delivery once its fate is known.
#[async_trait]
pub trait Settle: Send + Sync + Debug {
    /// The message is worked off.
    async fn ack(self: Box<Self>) -> Result<(), Error>;

    /// The message goes back.
    fn put_back(self: Box<Self>);
}

impl Delivery {
    /// A delivery that `settle` will settle.
    pub fn new(message: Message, settle: Box<dyn Settle>) -> Self {
        Self { message, settle: Some(settle) }
    }

    /// The message is worked off and may be forgotten.
    pub async fn ack(mut self) -> Result<(), Error> {
        match self.settle.take() {
            Some(settle) => settle.ack().await,
            None => Ok(()),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle.put_back();
        }
    }
}

/// A queue could not do what it was asked. Nothing needs doing about it: the leases of unsent messages pass, and
/// their runs are due again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Messages may not have arrived.
    #[error("failed to hand over {count} messages: {why}")]
    Publish {
        /// How many.
        count: usize,
        /// In words.
        why: String,
    },
    /// No message can be had.
    #[error("failed to receive a message: {0}")]
    Receive(String),
    /// The message may come again.
    #[error("failed to settle a message: {0}")]
    Ack(String),
}
