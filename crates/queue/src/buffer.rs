//! Messages that wait inside the process, urgent ones first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Two lines of waiting items. Urgent items leave before normal ones.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    waiting: Mutex<Waiting<T>>,
    arrived: Notify,
}

#[derive(Debug)]
struct Waiting<T> {
    urgent: VecDeque<T>,
    normal: VecDeque<T>,
}

/// The end of a line at which an item enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Leaves next.
    Front,
    /// Leaves last.
    Back,
}

impl<T> Default for Buffer<T> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), arrived: Notify::new() }
    }
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { urgent: VecDeque::new(), normal: VecDeque::new() }
    }
}

impl<T> Buffer<T> {
    pub fn put(&self, item: T, urgent: bool, end: End) {
        let mut waiting = self.lock();
        let line = if urgent { &mut waiting.urgent } else { &mut waiting.normal };
        match end {
            End::Front => line.push_front(item),
            End::Back => line.push_back(item),
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Waits for the next item. Dropped while waiting, it takes none.
    pub async fn take(&self) -> T {
        loop {
            // `Notify` stores one permit, so an item put between these two statements is not missed.
            if let Some(item) = self.take_now() {
                // One permit may stand for several items: pass it on.
                self.arrived.notify_one();
                return item;
            }
            self.arrived.notified().await;
        }
    }

    /// Drops every item. Returns their number.
    pub fn clear(&self) -> usize {
        let waiting = std::mem::take(&mut *self.lock());
        waiting.urgent.len() + waiting.normal.len()
    }

    fn take_now(&self) -> Option<T> {
        let mut waiting = self.lock();
        waiting.urgent.pop_front().or_else(|| waiting.normal.pop_front())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
