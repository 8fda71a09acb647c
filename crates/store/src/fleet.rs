//! The enrolled fleet and its schedule cursors.

use std::time::Duration;

use holdfast_model::schedule::PauseWindow;
use holdfast_model::{App, AppId, DepartureReason, NewRun, PolicyName, Retention, Timestamp};
use serde::Serialize;

/// An app as the fleet file enrols it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The app and its policy.
    pub app: App,
    /// The greatest age of its latest good backup.
    pub recovery_point_objective: Option<Duration>,
    /// How long its backups are kept.
    pub retention: Option<Retention>,
    /// Whether partial backups count as good.
    pub partial_is_good: bool,
    /// The schedule's fingerprint and its first tick after now; `None` for an app in no policy or paused.
    pub schedule: Option<(String, Timestamp)>,
    /// What Azure's answers said about it.
    pub observation: Observation,
}

/// What Azure's answers said about an app, and when.
///
/// The default is an app of the fleet file alone, which no list of Azure contradicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Observation {
    /// When the answer that shows it was asked for. An older observation changes nothing that a newer one wrote.
    pub observed_at: Option<Timestamp>,
    /// Since when Azure's list leaves it out without proof that it is gone.
    pub missing_since: Option<Timestamp>,
    /// Ticks that are owed from before its enrolment, because Azure's list came late.
    pub owed: Option<Owed>,
}

/// Ticks that a new app is owed from before its enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// When Azure was first asked for the app.
    pub since: Timestamp,
    /// The first tick after that.
    pub next_at: Timestamp,
}

/// An app that leaves the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The app.
    pub app: AppId,
    /// Why it leaves.
    pub reason: DepartureReason,
    /// When the proof was asked for. A newer observation of the app keeps it.
    pub observed_at: Timestamp,
    /// The record for the audit, written only when the app leaves.
    pub record: NewRun,
}

/// What a sync of the fleet changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FleetChange {
    /// Apps that are new.
    pub added: u64,
    /// Apps whose policy, plan, tags or schedule changed.
    pub changed: u64,
    /// Apps that left.
    pub removed: u64,
    /// Those of them that Azure no longer has.
    pub not_found: u64,
}

/// How far an app's schedule has been considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The app.
    pub app: AppId,
    /// The policy.
    pub policy: PolicyName,
    /// The schedule's fingerprint when the cursor was created.
    pub fingerprint: String,
    /// Every tick up to here has been considered.
    pub through: Timestamp,
    /// The first tick after it.
    pub next_at: Timestamp,
    /// Unfinished backups of the app under this policy, without those that only verify what Azure has finished.
    pub unfinished: u64,
    /// The app's last pause by a person, which is over. Its ticks are not owed.
    pub pause: Option<PauseWindow>,
}

/// A cursor's move and the runs it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorAdvance {
    /// The cursor as it was read.
    pub cursor: Cursor,
    /// Where it moves to.
    pub through: Timestamp,
    /// The first tick after it; `None` removes the cursor, because the schedule has no further tick.
    pub next_at: Option<Timestamp>,
    /// The runs: at most one to do, and the missed ones.
    pub runs: Vec<NewRun>,
}

/// What planning wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// Runs to do.
    pub runs: u64,
    /// Ticks recorded as missed.
    pub missed: u64,
    /// Advances skipped because another scheduler was faster.
    pub conflicts: u64,
}
