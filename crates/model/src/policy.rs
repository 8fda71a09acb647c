//! Policies: which backups an app gets, and how.

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
    /// What happens to a tick while the app's previous run has not ended.
    pub overlap: Overlap,
    /// The greatest age of the latest good backup before the app counts as past its objective.
    pub recovery_point_objective: Option<Duration>,
    /// Which backups are kept, and for how long.
    pub retention: Option<Retention>,
    /// How often backups are proved by a restore.
    pub drill: Option<DrillRule>,
    /// The schedule of Azure's own that its apps should have.
    pub native_schedule: Option<NativeSchedule>,
    /// The part that each run copies.
    pub policy_snapshot: PolicySnapshot,
}

impl Policy {
    /// A policy with a schedule, and without catch-up, objective, retention, drills or a native schedule.
    pub fn new(name: PolicyName, schedule: Schedule, policy_snapshot: PolicySnapshot) -> Self {
        Self {
            name,
            schedule,
            catch_up: Duration::ZERO,
            overlap: Overlap::Skip,
            recovery_point_objective: None,
            retention: None,
            drill: None,
            native_schedule: None,
            policy_snapshot,
        }
    }
}

/// What happens to a tick while the app's previous run has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The tick is recorded as missed.
    Skip,
    /// One tick may wait behind the run; further ones are recorded as missed.
    Queue,
}

/// The part of a policy that a run copies when it is planned.
///
/// A run follows its copy until it ends: an edit of the fleet file changes no run in progress, and a worker needs
/// only the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySnapshot {
    /// The storage that the backup is in or goes to.
    pub storage: StorageName,
    /// The account of that storage: the unit of a concurrency limit.
    pub account: String,
    /// How long after its due time a run may still begin. Within it, refusals that may be temporary are tried again.
    #[serde(default)]
    pub catch_up: Duration,
    /// Time that one attempt may take from its POST to Azure's final status.
    pub deadline: Duration,
    /// How often and how soon failures are retried.
    pub retries: Retries,
    /// How often Azure is polled.
    pub poll: PollPace,
    /// Tolerated shrinkage against the last good backup, in percent; 100 accepts any size.
    pub shrink_tolerance_percent: u8,
    /// Whether `PartiallySucceeded` counts as good for the recovery point objective.
    pub partial_is_good: bool,
    /// Whether Holdfast can reach the storage to check the blob, which a firewall may prevent.
    pub verify: bool,
}

/// The retry rule for each class of failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// For `TimedOut`.
    pub timed_out: Retry,
    /// For `Skipped`: too many backups were requested, so pauses are long.
    pub skipped: Retry,
    /// For `PartiallySucceeded`.
    pub partial: Retry,
    /// For `Failed`, an unusable SAS, a missing blob and other temporary failures.
    pub transient: Retry,
    /// For POSTs whose answers stayed lost. Crashes of Holdfast count too, so it allows many.
    pub lost: Retry,
}

impl Retries {
    /// The rule for a class of failure; `None` where a retry cannot help.
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

/// How often and how soon one class of failure is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts that may fail this way before the run is exhausted; 1 means no retry.
    pub attempts: u32,
    /// Pause after the first failure. It doubles with each further one.
    pub first: Duration,
    /// Longest pause.
    pub max: Duration,
}

impl Retry {
    /// A rule with its pauses in seconds.
    pub const fn seconds(attempts: u32, first: u64, max: u64) -> Self {
        Self { attempts, first: Duration::from_secs(first), max: Duration::from_secs(max) }
    }
}

/// How often Azure is polled: the interval starts at `first` and doubles up to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollPace {
    /// First and shortest interval.
    pub first: Duration,
    /// Longest pause.
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
    /// The snapshot of a policy that sets only its storage.
    pub fn new(storage: StorageName, account: impl Into<String>) -> Self {
        Self {
            storage,
            account: account.into(),
            catch_up: Duration::from_hours(6),
            deadline: Duration::from_hours(4),
            retries: Retries::default(),
            poll: PollPace::default(),
            shrink_tolerance_percent: 50,
            partial_is_good: false,
            verify: true,
        }
    }
}
