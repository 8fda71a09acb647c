//! The queue inside one process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::{Delivery, Error, Message, Queue, Settle};

/// A queue that lives and dies with its process. That it forgets everything is no loss: messages are wake-ups, and
/// the leases of the forgotten ones pass.
#[derive(Debug, Clone, Default)]
pub struct MemoryQueue {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<Message>,
    normal: VecDeque<Message>,
}

impl MemoryQueue {
    /// Forgets every message that waits, as a purge of a broker's queue does. Returns how many.
    pub fn purge(&self) -> usize {
        let mut waiting = self.shared.lock();
        let count = waiting.urgent.len() + waiting.normal.len();
        *waiting = Waiting::default();
        count
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, message: Message, front: bool) {
        let mut waiting = self.lock();
        let line = if message.urgent { &mut waiting.urgent } else { &mut waiting.normal };
        if front {
            line.push_front(message);
        } else {
            line.push_back(message);
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    fn take(&self) -> Option<Message> {
        let mut waiting = self.lock();
        waiting.urgent.pop_front().or_else(|| waiting.normal.pop_front())
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, messages: &[Message]) -> Result<(), Error> {
        for message in messages {
            self.shared.put(message.clone(), false);
        }
        Ok(())
    }

    async fn receive(&self) -> Result<Delivery, Error> {
        loop {
            // The permit of `notify_one` is kept for whoever waits next, so a message put between these two lines
            // is not slept through.
            if let Some(message) = self.shared.take() {
                // One permit stands for any number of messages: pass it on for the rest.
                self.shared.arrived.notify_one();
                let in_hand = InHand { message: message.clone(), shared: Arc::clone(&self.shared) };
                return Ok(Delivery::new(message, Box::new(in_hand)));
            }
            self.shared.arrived.notified().await;
        }
    }
}

#[derive(Debug)]
struct InHand {
    message: Message,
    shared: Arc<Shared>,
}

#[async_trait]
impl Settle for InHand {
    async fn ack(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }

    fn put_back(self: Box<Self>) {
        self.shared.put(self.message, true);
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::{Priority, RunId, Timestamp, Wakeup};

    use super::*;

    fn message(version: i64, priority: Priority) -> Message {
        let run_id = RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1));
        Message::new(Wakeup { run_id, version }, priority)
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
    async fn a_delivery_dropped_without_an_ack_comes_again() {
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
