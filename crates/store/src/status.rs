//! The status of an app.

use std::time::Duration;

use holdfast_model::{AppId, Cause, Outcome, PolicyName, RunId, RunKind, StateCode, Timestamp};
use serde::Serialize;

/// The status of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppStatus {
    /// The app.
    pub app: AppId,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// Whether the fleet file no longer names it.
    pub removed: bool,
    /// When its next tick is due.
    pub next_tick: Option<Timestamp>,
    /// Its unfinished backup, restore or drill.
    pub running: Option<Running>,
    /// Its last backup run that ended and was not missed.
    pub last: Option<LastRun>,
    /// When Azure accepted its latest good backup that is still there: its latest recovery point.
    pub last_good_at: Option<Timestamp>,
    /// Whether it is past its recovery point objective at the store's now. An app without a good backup has its first
    /// span from its enrolment.
    pub past_objective: bool,
    /// What checks of the catalog against Azure found.
    pub check: CheckStatus,
}

/// What checks of an app's catalog found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckStatus {
    /// The last check that ended.
    pub last: Option<LastRun>,
    /// Backups that a restore could use and that were lost within [`Self::LOST_FOR`].
    pub lost: u64,
    /// Whether Azure's own schedule differed from the policy's in that check.
    pub drift: bool,
}

impl CheckStatus {
    /// How long a lost backup is reported.
    pub const LOST_FOR: Duration = Duration::from_hours(7 * 24);
}

/// An unfinished run of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Its kind.
    pub kind: RunKind,
    /// Its state.
    pub state: StateCode,
}

/// An app's last run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// The run.
    pub run_id: RunId,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its cause.
    pub cause: Option<Cause>,
    /// When it ended.
    pub ended_at: Timestamp,
}
