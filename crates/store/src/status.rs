//! The status of an app.

use std::time::Duration;

use holdfast_model::{AppId, Cause, Outcome, PolicyName, RunId, RunKind, StateCode, Timestamp};
use serde::{Serialize, Serializer};
use strum::IntoStaticStr;

/// The status of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppStatus {
    /// The app.
    pub app: AppId,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// Whether the fleet file no longer names it.
    pub removed: bool,
    /// Whether the fleet file pauses it.
    pub paused: bool,
    /// Its recovery point objective; `None` where its policy sets none.
    #[serde(rename = "recovery_point_objective_s", serialize_with = "seconds")]
    pub recovery_point_objective: Option<Duration>,
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

#[expect(clippy::ref_option, reason = "serde gives the field by reference")]
fn seconds<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(|span| span.as_secs()).serialize(serializer)
}

impl AppStatus {
    /// Why no objective watches over the app's backups; `None` where one does.
    pub fn unprotected(&self) -> Option<Unprotected> {
        if self.paused {
            Some(Unprotected::Paused)
        } else if self.policy.is_none() {
            Some(Unprotected::NoPolicy)
        } else if self.recovery_point_objective.is_none() {
            Some(Unprotected::NoObjective)
        } else {
            None
        }
    }
}

/// Why an enrolled app can lose its backups without an alert of its objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Unprotected {
    /// The fleet file pauses it: no tick is planned.
    Paused,
    /// It is in no policy: no tick is planned.
    NoPolicy,
    /// Its policy sets no recovery point objective: it is never past one.
    NoObjective,
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
