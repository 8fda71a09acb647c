//! A clock at an offset from the machine's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use holdfast_model::{Clock, SystemClock, Timestamp};

/// The machine's clock plus an offset; `holdfast demo` starts just before two in the morning.
#[derive(Debug)]
pub struct OffsetClock {
    machine: SystemClock,
    offset: Mutex<TimeDelta>,
}

impl OffsetClock {
    /// A clock that starts at `now`.
    pub fn showing(now: Timestamp) -> Self {
        let machine = SystemClock::default();
        Self { offset: Mutex::new(now - machine.now()), machine }
    }

    /// Sets the clock to `now`.
    pub fn show(&self, now: Timestamp) {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner) = now - self.machine.now();
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        self.machine.now() + *self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        self.machine.elapsed()
    }
}
