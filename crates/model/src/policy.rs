//! What an app is owed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::schedule::Schedule;
use crate::{DrillRule, NativeSchedule, PolicyName, Retention, RetryClass, StorageName};

/// A policy of the fleet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: PolicyName,
    /// When its apps are due.
    pub schedule: Schedule,
    /// How late a tick may still be run after a gap.
    pub catch_up: Duration,
    /// What happens to a tick while the app's run before it has not ended.
    pub overlap: Overlap,
    /// The greatest age of the latest good backup before the app counts as past its objective.
    pub recovery_point_objective: Option<Duration>,
    /// How long backups are owed.
    pub retention: Option<Retention>,
    /// How often backups are tried out by a restore.
    pub drill: Option<DrillRule>,
    /// The schedule of Azure's own that its apps should have.
    pub native_schedule: Option<NativeSchedule>,
    /// What each run carries with it.
    pub policy_snapshot: PolicySnapshot,
}

/// What happens to a tick while the app's run before it has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The tick is recorded as missed.
    Skip,
    /// One tick may wait behind the run; further ones are recorded as missed.
    Queue,
}

/// The part of a policy that a run carries with it from its planning to its end.
///
/// A run is judged by the policy snapshot it was planned under: an edit of the fleet file never changes a run under way, and a
/// worker needs nothing but the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySnapshot {
    /// Where the backup goes.
    pub storage: StorageName,
    /// The storage account behind it, which has a concurrency limit of its own.
    pub account: String,
    /// How long one attempt may take from its POST to Azure's final answer.
    pub deadline: Duration,
    /// How often and how soon failures are retried.
    pub retries: Retries,
    /// How often Azure is asked how a backup does.
    pub poll: PollPace,
    /// A backup that is smaller than the last good one by more than this many percent is not trusted; 100 trusts all.
    pub shrink_tolerance_percent: u8,
    /// Whether `PartiallySucceeded` counts as good for the recovery point objective.
    pub partial_is_good: bool,
    /// Whether the blob can be checked from here. It cannot where storage is behind a firewall.
    pub verify: bool,
}

/// The retry rule for each kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// For `TimedOut`.
    pub timed_out: Retry,
    /// For `Skipped`: too many backups were asked for, so waits are long.
    pub skipped: Retry,
    /// For `PartiallySucceeded`.
    pub partial: Retry,
    /// For `Failed`, an unusable SAS and a missing blob.
    pub transient: Retry,
    /// For POSTs whose answers stayed lost. Crashes of our own end this way too, so it allows many.
    pub lost: Retry,
}

impl Retries {
    /// The rule for a kind of failure; `None` where trying again cannot help.
    pub fn rule(&self, kind: RetryClass) -> Option<Retry> {
        match kind {
            RetryClass::TimedOut => Some(self.timed_out),
            RetryClass::Skipped => Some(self.skipped),
            RetryClass::Partial => Some(self.partial),
            RetryClass::Transient => Some(self.transient),
            RetryClass::Lost => Some(self.lost),
            RetryClass::Permanent => None,
        }
    }
}

/// How often one kind of failure is retried, and how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts that may end this way before the run gives up; 1 means no retry.
    pub attempts: u32,
    /// The pause after the first such failure. It doubles with each further one.
    pub first: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Retry {
    /// A rule from its parts, with the pauses in seconds.
    pub const fn seconds(attempts: u32, first: u64, max: u64) -> Self {
        Self { attempts, first: Duration::from_secs(first), max: Duration::from_secs(max) }
    }
}

/// How often Azure is asked how a backup does: after `first`, then each time as long again as has passed, at most
/// `max` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollPace {
    /// The first pause, and the shortest.
    pub first: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Default for PollPace {
    fn default() -> Self {
        Self { first: Duration::from_secs(5), max: Duration::from_mins(1) }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            timed_out: Retry::seconds(3, 300, 3_600),
            skipped: Retry::seconds(4, 1_800, 7_200),
            partial: Retry::seconds(1, 900, 3_600),
            transient: Retry::seconds(3, 300, 3_600),
            lost: Retry::seconds(10, 30, 600),
        }
    }
}

impl PolicySnapshot {
    /// The policy snapshot of a policy that names nothing but its storage.
    pub fn new(storage: StorageName, account: impl Into<String>) -> Self {
        Self {
            storage,
            account: account.into(),
            deadline: Duration::from_hours(4),
            retries: Retries::default(),
            poll: PollPace::default(),
            shrink_tolerance_percent: 50,
            partial_is_good: false,
            verify: true,
        }
    }
}
