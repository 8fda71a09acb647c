//! The right to make a request that must not be made twice.

use std::time::Duration;

use holdfast_arm::Database;
use holdfast_model::{Clock, NativeSchedule, Timestamp};
use secrecy::SecretString;

/// The right to make the request once, held for a short while from before the commit of the intent, with what
/// the request sends. Past it the worker was paused for too long: by now others may look, and ask again.
#[derive(Debug)]
pub(crate) struct Permit {
    /// By the clock's `elapsed`, which nobody sets but which stands still while a machine sleeps.
    until_elapsed: Duration,
    /// By the wall time, which goes on while a machine sleeps.
    until: Timestamp,
    sends: Sends,
}

/// What a request sends that no row holds: its secrets, and what was seen at Azure.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sends {
    /// The container with its SAS; empty when none is sent.
    pub storage_url: SecretString,
    /// The databases with their connection strings.
    pub databases: Vec<Database>,
    /// Azure's own schedule; `None` when none is set.
    pub schedule: Option<NativeSchedule>,
}

impl Permit {
    /// A permit for `within` from now.
    pub fn new(clock: &dyn Clock, within: Duration, sends: Sends) -> Self {
        Self { until_elapsed: clock.elapsed() + within, until: clock.now() + within, sends }
    }

    /// What the request sends; `None` when the permit has lapsed and nothing may be sent.
    pub fn used(self, clock: &dyn Clock) -> Option<Sends> {
        (clock.elapsed() < self.until_elapsed && clock.now() < self.until).then_some(self.sends)
    }
}
