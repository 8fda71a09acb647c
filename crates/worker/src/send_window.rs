//! The short time in which a request that must not be repeated may leave.

use std::time::Duration;

use holdfast_arm::Database;
use holdfast_model::{Clock, NativeSchedule, Timestamp};
use secrecy::SecretString;

/// The right to send a request once, and the request's payload.
///
/// The window opens before the intent is committed. When it has lapsed the worker was paused for too long: other workers
/// may already reconcile the attempt and start another one.
#[derive(Debug)]
pub(crate) struct SendWindow {
    /// By the clock's `elapsed`, which is monotonic but stands still while the host is suspended.
    until_elapsed: Duration,
    /// By the wall clock, which includes the time of a suspension.
    until: Timestamp,
    payload: RequestPayload,
}

/// The part of a request that no row holds: secrets, and what Azure returned during preparation.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestPayload {
    /// URL of the container with its SAS; empty when the request sends none.
    pub storage_url: SecretString,
    /// The databases with their connection strings.
    pub databases: Vec<Database>,
    /// The native schedule; `None` when the request sets none.
    pub schedule: Option<NativeSchedule>,
}

impl SendWindow {
    /// Opens a window for `within` from now.
    pub fn open(clock: &dyn Clock, within: Duration, payload: RequestPayload) -> Self {
        Self { until_elapsed: clock.elapsed() + within, until: clock.now() + within, payload }
    }

    /// Exchanges the window for the payload; `None` when the window has lapsed and nothing may be sent.
    pub fn redeem(self, clock: &dyn Clock) -> Option<RequestPayload> {
        (clock.elapsed() < self.until_elapsed && clock.now() < self.until).then_some(self.payload)
    }
}
