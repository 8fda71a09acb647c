//! What a worker is given from outside.

use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::{Arm, Probe};
use holdfast_model::Clock;
use holdfast_queue::Queue;
use holdfast_storage::{Secrets, Storage};
use holdfast_store::{GroupCommit, GroupLoad, Store};
use tokio::sync::Notify;

/// Everything that a step may call.
#[derive(Clone)]
pub struct Environment {
    /// Runs, the catalog and the audit events.
    pub store: Arc<dyn Store>,
    /// Commits the changes of all steps of the process to that store, in groups.
    pub commits: GroupCommit,
    /// Loads the runs of all steps of the process from that store, in groups.
    pub loads: GroupLoad,
    /// The source of messages.
    pub queue: Arc<dyn Queue>,
    /// Azure Resource Manager.
    pub arm: Arc<dyn Arm>,
    /// SAS and blobs.
    pub storage: Arc<dyn Storage>,
    /// Secrets that the fleet file names: the connection strings of databases.
    pub secrets: Arc<dyn Secrets>,
    /// The HTTP check of a restored app, for drills.
    pub probe: Arc<dyn Probe>,
    /// The host's clock. Steps measure durations with `elapsed`; the current time comes from the store.
    pub clock: Arc<dyn Clock>,
    /// Notified after each commit, so that a dispatcher in the same process looks for due runs at once.
    pub bell: Arc<Notify>,
}

/// The times that ensure at most one POST per attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long after the start of its intent's commit a POST may still leave.
    pub post_within: Duration,
    /// Timeout of a POST, from sending to its answer.
    pub call_timeout: Duration,
    /// How long a backup may be absent from the app's list before its POST counts as not accepted: Azure lists new
    /// backups late.
    pub settle: Duration,
}

impl Settings {
    /// Looks without a match, spread over the settle time, before an attempt ends as lost.
    pub const LOOKS: u32 = 3;

    /// Longest suspension of the host during the preparation of an attempt that does not stop the attempt.
    pub const SLEEP_MAX: Duration = Duration::from_secs(3);

    /// Longest load of a run after which an attempt may start. After a longer one the store's time is uncertain.
    pub const LOAD_MAX: Duration = Duration::from_secs(10);

    /// Lease of an intent: the worker that committed it may POST and wait for the answer within this time.
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
