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

/// The store's time, extrapolated with the monotonic clock from before the load.
///
/// The store read its time at some moment of the load, so this time is never behind the store's, and is ahead of it by at
/// most the duration of the load. A process that was stopped inside the load therefore never takes an intent for
/// fresher than it is.
pub(crate) struct StoreTime<'a> {
    clock: &'a dyn Clock,
    /// The store's time when it loaded the run.
    loaded_now: Timestamp,
    /// The host's clock before the load.
    before_load: HostTime,
    /// Duration of the load.
    load_took: Duration,
}

impl<'a> StoreTime<'a> {
    /// Extrapolates from `loaded_now`, which the store returned a moment ago. `before_load` was read before the request.
    pub fn new(clock: &'a dyn Clock, loaded_now: Timestamp, before_load: HostTime) -> Self {
        let load_took = clock.elapsed().saturating_sub(before_load.elapsed);
        Self { clock, loaded_now, before_load, load_took }
    }

    /// The store's time now, in milliseconds.
    pub fn now(&self) -> Timestamp {
        let passed = self.clock.elapsed().saturating_sub(self.before_load.elapsed);
        (self.loaded_now + passed).trunc_subsecs(3)
    }

    /// Whether the process was stopped inside the load, or the host was suspended since, so that [`now`](Self::now)
    /// differs from the store's time by more than a moment.
    ///
    /// The wall clock goes on during a suspension. A wall clock that was set forward looks the same, and costs one step.
    pub fn is_uncertain(&self) -> bool {
        let HostTime { wall, elapsed } = HostTime::read(self.clock);
        let passed = elapsed.saturating_sub(self.before_load.elapsed);
        self.load_took > Settings::LOAD_MAX || wall > self.before_load.wall + passed + Settings::SLEEP_MAX
    }
}
