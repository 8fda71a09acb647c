//! The status of an app.

use holdfast_model::{
    AppId, Cause, DepartureReason, Outcome, PolicyName, RunId, RunKind, StateCode, Timestamp,
};
use serde::Serialize;

/// The status of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppStatus {
    /// The app.
    pub app: AppId,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// The ARM id of its App Service plan, once Azure reported it.
    pub plan: Option<String>,
    /// Whether its scheduled runs are suspended.
    pub paused: bool,
    /// Whether it left the fleet.
    pub removed: bool,
    /// When and why it left the fleet.
    pub departed: Option<Departed>,
    /// When Azure was asked for the answer that last showed it; `None` for an app that no answer showed.
    pub seen_at: Option<Timestamp>,
    /// Since when Azure's list leaves it out without proof that it is gone. Its ticks run.
    pub missing_since: Option<Timestamp>,
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
}

/// When and why an app left the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Departed {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: DepartureReason,
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
