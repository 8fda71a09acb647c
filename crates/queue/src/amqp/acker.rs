//! A delivery's end.

use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicNackOptions};

use super::link::words;
use crate::{Error, Settle};

/// A message in a worker's hands, on the connection it came by.
#[derive(Debug)]
pub(super) struct InHand {
    acker: Acker,
    within: Duration,
}

impl InHand {
    /// Settles with `acker`, and gives up after `within`.
    pub fn new(acker: Acker, within: Duration) -> Self {
        Self { acker, within }
    }

    /// A client sends its word when it is first asked to, and nobody waits for an answer. When the word is lost the
    /// connection is too, and the broker puts the message back by itself.
    pub fn put_back_now(&self) {
        let nack = self.acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() });
        let _ = nack.now_or_never();
    }
}

#[async_trait]
impl Settle for InHand {
    async fn ack(self: Box<Self>) -> Result<(), Error> {
        let ack = self.acker.ack(BasicAckOptions::default());
        match tokio::time::timeout(self.within, ack).await {
            Ok(Ok(true)) => Ok(()),
            // Its connection is gone, and nothing was sent.
            Ok(Ok(false)) => Err(Error::Ack("the connection it came by was lost".to_owned())),
            Ok(Err(error)) => Err(Error::Ack(words(&error))),
            Err(_) => Err(Error::Ack("the broker does not answer".to_owned())),
        }
    }

    fn put_back(self: Box<Self>) {
        self.put_back_now();
    }
}
