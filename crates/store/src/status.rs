//! The status of an app.

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
    /// Its latest tick that was not run.
    pub missed: Option<Missed>,
    /// When Azure accepted its latest good backup that is still there: its latest recovery point.
    pub last_good_at: Option<Timestamp>,
    /// Whether it is past its recovery point objective at the store's now. An app without a good backup has its first
    /// span from its enrolment.
    pub past_objective: bool,
}

/// An unfinished run of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Running {
    /// Its kind.
    pub kind: RunKind,
    /// Its state.
    pub state: StateCode,
    /// Why it waits, if it waits for a cause.
    pub cause: Option<Cause>,
    /// When it was created.
    pub since: Timestamp,
    /// When its next step is due.
    pub next_try: Timestamp,
}

/// A tick of an app that was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// The run that records it.
    pub run_id: RunId,
    /// The tick.
    pub tick: Timestamp,
    /// Why it was not run.
    pub cause: Option<Cause>,
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
