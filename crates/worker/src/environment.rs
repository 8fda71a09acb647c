//! The outside world, as far as a worker may touch it.

use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::{Arm, Probe};
use holdfast_model::Clock;
use holdfast_queue::Queue;
use holdfast_storage::{Secrets, Storage};
use holdfast_store::Store;
use tokio::sync::Notify;

/// Everything a step may call.
#[derive(Clone)]
pub struct Environment {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Where messages come from.
    pub queue: Arc<dyn Queue>,
    /// Azure.
    pub arm: Arc<dyn Arm>,
    /// SAS and containers.
    pub storage: Arc<dyn Storage>,
    /// Secrets that the fleet file names: the databases' connection strings.
    pub secrets: Arc<dyn Secrets>,
    /// The apps themselves, for drills.
    pub probe: Arc<dyn Probe>,
    /// Time. Only its `elapsed` decides anything: what time it is, the store says.
    pub clock: Arc<dyn Clock>,
    /// Rung after each commit, so that a dispatcher in the same process need not wait for its next look.
    pub bell: Arc<Notify>,
}

/// The times that make a POST happen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long after its intent was committed a POST may still leave. A worker that was paused beyond it must not
    /// POST any more.
    pub post_within: Duration,
    /// How long a POST may take, from leaving to its answer.
    pub call_timeout: Duration,
    /// How long a backup may be missing from the app's list before its POST counts as never accepted: Azure lists
    /// new backups late.
    pub settle: Duration,
}

impl Settings {
    /// Looks that must find nothing, spread over the settle time, before an attempt is given up.
    pub const LOOKS: u32 = 3;

    /// A machine that slept no longer than this while it prepared an attempt begins it all the same.
    pub const SLEEP_MAX: Duration = Duration::from_secs(3);

    /// How long an intent is left alone: within it, the worker that committed it may POST and wait for the answer.
    pub fn intent_lease(&self) -> Duration {
        self.post_within + self.call_timeout + Self::SLEEP_MAX + Duration::from_secs(1)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            post_within: Duration::from_secs(20),
            call_timeout: Duration::from_mins(1),
            settle: Duration::from_secs(90),
        }
    }
}
