//! The queue inside one process.

use std::sync::Arc;

use async_trait::async_trait;

use crate::buffer::{Buffer, End};
use crate::{Acker, Delivery, Error, Message, Queue};

/// A queue in memory. A restart loses its messages, which the leases in the store make up for.
#[derive(Debug, Clone, Default)]
pub struct MemoryQueue {
    buffer: Arc<Buffer<Message>>,
}

impl MemoryQueue {
    /// Drops every waiting message, as a purge of a broker's queue does. Returns their number.
    pub fn purge(&self) -> usize {
        self.buffer.clear()
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, messages: &[Message]) -> Result<(), Error> {
        for message in messages {
            self.buffer.put(message.clone(), message.urgent, End::Back);
        }
        Ok(())
    }

    async fn receive(&self) -> Result<Delivery, Error> {
        let message = self.buffer.take().await;
        let acker = MemoryAcker { message: message.clone(), buffer: Arc::clone(&self.buffer) };
        Ok(Delivery::new(message, Box::new(acker)))
    }
}

#[derive(Debug)]
struct MemoryAcker {
    message: Message,
    buffer: Arc<Buffer<Message>>,
}

#[async_trait]
impl Acker for MemoryAcker {
    async fn ack(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }

    fn requeue(self: Box<Self>) {
        let urgent = self.message.urgent;
        self.buffer.put(self.message, urgent, End::Front);
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::{Priority, RunId, Timestamp, Wakeup};

    use super::*;

    fn message(version: i64, priority: Priority) -> Message {
        let run_id = RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1));
        Message::new(Wakeup { run_id, version, nonce: 1 }, priority)
    }

    #[tokio::test]
    async fn urgent_messages_overtake_and_the_rest_keep_their_order() {
        let queue = MemoryQueue::default();
        let messages = [1, 2, 3].map(|v| message(v, Priority::Scheduled));
        queue.publish(&messages).await.unwrap();
        queue.publish(&[message(9, Priority::Manual)]).await.unwrap();
        for version in [9, 1, 2, 3] {
            let delivery = queue.receive().await.unwrap();
            assert_eq!(delivery.message.wakeup.version, version);
            delivery.ack().await.unwrap();
        }
        assert_eq!(queue.purge(), 0);
    }

    #[tokio::test]
    async fn a_delivery_dropped_without_an_ack_is_redelivered() {
        let queue = MemoryQueue::default();
        queue.publish(&[message(1, Priority::Scheduled)]).await.unwrap();
        drop(queue.receive().await.unwrap());
        let again = queue.receive().await.unwrap();
        assert_eq!(again.message.wakeup.version, 1);
        again.ack().await.unwrap();
        assert_eq!(queue.purge(), 0);
    }

    #[tokio::test]
    async fn every_waiting_worker_is_woken_when_several_messages_come_at_once() {
        let queue = MemoryQueue::default();
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { queue.receive().await.unwrap().ack().await.unwrap() })
            })
            .collect();
        tokio::task::yield_now().await;
        queue.publish(&[1, 2, 3].map(|v| message(v, Priority::Scheduled))).await.unwrap();
        for worker in workers {
            worker.await.unwrap();
        }
    }
}
