//! Observation of waits, for a progress line.

use std::fmt;
use std::time::Duration;

use holdfast_model::{Call, SubscriptionId};

/// A wait before a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The subscription whose call waits.
    pub subscription: SubscriptionId,
    /// The kind of call.
    pub call: Call,
    /// Why it waits.
    pub reason: WaitReason,
    /// How long.
    pub duration: Duration,
}

/// Why a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitReason {
    /// The subscription's request budget has no token to spare.
    Budget,
    /// Azure throttled the call.
    Throttled,
    /// The call failed in passing.
    Failed,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription, call, reason, duration } = self;
        let seconds = duration.as_secs_f64().ceil();
        match reason {
            WaitReason::Budget => write!(
                f,
                "waiting {seconds} s: the {} budget of subscription {subscription} is in use",
                call.as_str()
            ),
            WaitReason::Throttled => {
                write!(f, "waiting {seconds} s: Azure throttles subscription {subscription}")
            }
            WaitReason::Failed => {
                write!(f, "waiting {seconds} s: a call to subscription {subscription} failed, trying again")
            }
        }
    }
}

/// Observes the waits of paced calls. Several calls may wait at once.
pub trait WaitObserver: Send + Sync {
    /// A call begins to wait. It must not block.
    fn begins(&self, wait: &Wait);

    /// A wait has ended, or its call was dropped.
    fn ended(&self);
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopWaitObserver;

impl WaitObserver for NoopWaitObserver {
    fn begins(&self, _: &Wait) {}

    fn ended(&self) {}
}
