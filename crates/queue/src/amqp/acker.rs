//! Acknowledges deliveries of RabbitMQ.

use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use lapin::options::{BasicAckOptions, BasicNackOptions};

use super::connect_error::describe;
use crate::{Acker, Error};

/// Acknowledges one message on the connection that delivered it.
#[derive(Debug)]
pub(super) struct AmqpAcker {
    acker: lapin::Acker,
    within: Duration,
}

impl AmqpAcker {
    /// An acker that waits for the broker for `within` at most.
    pub fn new(acker: lapin::Acker, within: Duration) -> Self {
        Self { acker, within }
    }

    /// Returns the message without waiting for an answer.
    ///
    /// The client sends the frame on the first poll. If the connection is lost first, the broker requeues by itself.
    pub fn requeue_now(&self) {
        let nack = self.acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() });
        let _ = nack.now_or_never();
    }
}

#[async_trait]
impl Acker for AmqpAcker {
    async fn ack(self: Box<Self>) -> Result<(), Error> {
        let ack = self.acker.ack(BasicAckOptions::default());
        match tokio::time::timeout(self.within, ack).await {
            Ok(Ok(true)) => Ok(()),
            // Nothing was sent.
            Ok(Ok(false)) => Err(Error::Ack("the connection that delivered it was lost".to_owned())),
            Ok(Err(error)) => Err(Error::Ack(describe(&error))),
            Err(_) => Err(Error::Ack("the broker does not answer".to_owned())),
        }
    }

    fn requeue(self: Box<Self>) {
        self.requeue_now();
    }
}
