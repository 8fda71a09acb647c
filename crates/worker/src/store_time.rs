//! The store's time during a step.

use std::time::Duration;

use chrono::SubsecRound;
use holdfast_model::{Clock, Timestamp};

use crate::environment::Settings;

/// Both readings of the host's clock at one moment.
pub(crate) struct HostTime {
    wall: Timestamp,
    elapsed: Duration,
}

impl HostTime {
    /// Reads the clock.
    pub fn read(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), elapsed: clock.elapsed() }
    }
}

/// The store's time, extrapolated with the monotonic clock.
pub(crate) struct StoreTime<'a> {
    clock: &'a dyn Clock,
    /// The store's time when it loaded the run.
    loaded_now: Timestamp,
    /// The monotonic clock after the load.
    loaded_at: Duration,
    /// The host's clock before the load.
    before_load: HostTime,
}

impl<'a> StoreTime<'a> {
    /// Extrapolates from `loaded_now`, which the store returned a moment ago. `before_load` was read before the request.
    pub fn new(clock: &'a dyn Clock, loaded_now: Timestamp, before_load: HostTime) -> Self {
        Self { clock, loaded_now, loaded_at: clock.elapsed(), before_load }
    }

    /// The store's time now, in milliseconds.
    pub fn now(&self) -> Timestamp {
        (self.loaded_now + self.clock.elapsed().saturating_sub(self.loaded_at)).trunc_subsecs(3)
    }

    /// Whether the host was suspended since `before_load`, so that [`now`](Self::now) is behind the store's time.
    ///
    /// The wall clock goes on during a suspension. A wall clock that was set forward looks the same, and costs one step.
    pub fn is_behind(&self) -> bool {
        let HostTime { wall, elapsed } = HostTime::read(self.clock);
        let passed = elapsed.saturating_sub(self.before_load.elapsed);
        wall > self.before_load.wall + passed + Settings::SLEEP_MAX
    }
}
