//! A clock at a fixed offset from the machine's.

use std::time::Duration;

use chrono::TimeDelta;
use holdfast_model::{Clock, SystemClock, Timestamp};

/// The machine's clock plus a fixed offset; `holdfast demo` starts just before two in the morning.
#[derive(Debug)]
pub struct OffsetClock {
    machine: SystemClock,
    offset: TimeDelta,
}

impl OffsetClock {
    /// A clock that starts at `now`.
    pub fn showing(now: Timestamp) -> Self {
        let machine = SystemClock::default();
        Self { offset: now - machine.now(), machine }
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        self.machine.now() + self.offset
    }

    fn elapsed(&self) -> Duration {
        self.machine.elapsed()
    }
}
