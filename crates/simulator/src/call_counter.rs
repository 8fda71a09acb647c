//! Counts the calls to ARM.

use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_arm::{CallFacts, CallObserver};

/// Counts the calls of one process.
#[derive(Debug, Default)]
pub struct CallCounter {
    calls: AtomicU64,
    throttled: AtomicU64,
}

impl CallCounter {
    /// All calls so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// The calls that Azure answered with 429.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }
}

impl CallObserver for CallCounter {
    fn answered(&self, call: &CallFacts<'_>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.throttled.fetch_add(u64::from(call.status == Some(429)), Ordering::Relaxed);
    }
}
