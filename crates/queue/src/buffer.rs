//! What the broker has sent ahead and no worker has taken yet.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::Delivery;

#[derive(Debug, Default)]
pub(super) struct Buffer {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<Delivery>,
    normal: VecDeque<Delivery>,
}

impl Buffer {
    pub fn put(&self, delivery: Delivery) {
        let mut waiting = self.lock();
        let line = if delivery.message.urgent { &mut waiting.urgent } else { &mut waiting.normal };
        line.push_back(delivery);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// The next delivery, urgent ones first. Dropped while waiting it takes none.
    pub async fn take(&self) -> Delivery {
        loop {
            if let Some(delivery) = self.take_now() {
                // One permit stands for any number of deliveries: pass it on for the rest.
                self.arrived.notify_one();
                return delivery;
            }
            self.arrived.notified().await;
        }
    }

    /// Puts everything back, as far as its connection still stands.
    pub fn clear(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        drop(waiting);
    }

    fn take_now(&self) -> Option<Delivery> {
        let mut waiting = self.lock();
        waiting.urgent.pop_front().or_else(|| waiting.normal.pop_front())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
