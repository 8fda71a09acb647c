//! The condition of an app: one word for how it stands.

use std::fmt;
use std::str::FromStr;

use holdfast_model::{Cause, Outcome, RunKind, Timestamp, Verification};
use holdfast_store::{AppStatus, LastRun, Running};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::status_waits::missed_since_good;

/// The condition of an app, the worst first. An app has the worst of those that apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It has no good backup.
    NeverBackedUp,
    /// Its latest good backup is older than its recovery point objective.
    PastObjective,
    /// Backups that a restore could use were lost lately.
    Lost,
    /// Its last backup run failed.
    Failed,
    /// A tick since its latest good backup was not run.
    Missed,
    /// Its last backup is partial.
    Partial,
    /// Its last backup is much smaller than the one before.
    Shrinking,
    /// Its last backup could not be checked, although its storage should be in reach.
    Unverified,
    /// Azure's list leaves it out.
    Missing,
    /// It is in no policy.
    NoPolicy,
    /// Its policy sets no recovery point objective.
    NoObjective,
    /// A person has acknowledged its last failure.
    Acknowledged,
    /// Its scheduled runs are suspended.
    Paused,
    /// Its first backup is under way.
    FirstUnderWay,
    /// A run of it is under way.
    UnderWay,
    /// Its backups are as its policy wants them.
    Good,
    /// It left the fleet.
    Left,
}

/// How much attention a condition needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A restore would fail or lose more than the objective allows.
    Bad,
    /// Something should be looked at.
    Warn,
    /// Work is under way.
    Run,
    /// All is well.
    Ok,
    /// Nothing is expected.
    Muted,
}

impl Condition {
    /// Every condition, the worst first.
    pub const ALL: [Self; 17] = [
        Self::NeverBackedUp,
        Self::PastObjective,
        Self::Lost,
        Self::Failed,
        Self::Missed,
        Self::Partial,
        Self::Shrinking,
        Self::Unverified,
        Self::Missing,
        Self::NoPolicy,
        Self::NoObjective,
        Self::Acknowledged,
        Self::Paused,
        Self::FirstUnderWay,
        Self::UnderWay,
        Self::Good,
        Self::Left,
    ];

    /// The condition of an app at `now`.
    pub fn of(status: &AppStatus, now: Timestamp) -> Self {
        if status.removed {
            return Self::Left;
        }
        let last = status.last.as_ref().filter(|last| !status.has_acknowledged(last.run_id));
        let missed = missed_since_good(status).filter(|missed| !status.has_acknowledged(missed.run_id));
        let is_first = status.policy.is_some() && status.last_good_at.is_none();
        let ended_as = |outcomes: &[Outcome]| last.is_some_and(|last| outcomes.contains(&last.outcome));
        let has_shrunk = last.is_some_and(|last| last.cause == Some(Cause::BlobShrunk));
        if is_first && is_first_under_way(status) {
            Self::FirstUnderWay
        } else if is_first {
            Self::NeverBackedUp
        } else if is_past_objective(status, now) {
            Self::PastObjective
        } else if status.check.lost > 0 {
            Self::Lost
        } else if ended_as(&[Outcome::Failed, Outcome::Exhausted]) && !has_shrunk {
            Self::Failed
        } else if missed.is_some() {
            Self::Missed
        } else if ended_as(&[Outcome::Partial]) {
            Self::Partial
        } else if has_shrunk {
            Self::Shrinking
        } else if last.is_some_and(is_unverified) {
            Self::Unverified
        } else if status.missing_since.is_some() {
            Self::Missing
        } else if status.policy.is_none() {
            Self::NoPolicy
        } else if status.recovery_point_objective.is_none() {
            Self::NoObjective
        } else if is_acknowledged(status) {
            Self::Acknowledged
        } else if status.is_paused() {
            Self::Paused
        } else if status.running.is_some() {
            Self::UnderWay
        } else {
            Self::Good
        }
    }

    /// How much attention it needs.
    pub fn severity(self) -> Severity {
        match self {
            Self::NeverBackedUp | Self::PastObjective | Self::Lost | Self::Failed => Severity::Bad,
            Self::Missed
            | Self::Partial
            | Self::Shrinking
            | Self::Unverified
            | Self::Missing
            | Self::NoPolicy
            | Self::NoObjective => Severity::Warn,
            Self::FirstUnderWay | Self::UnderWay => Severity::Run,
            Self::Good => Severity::Ok,
            Self::Acknowledged | Self::Paused | Self::Left => Severity::Muted,
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::NeverBackedUp => "never backed up",
            Self::PastObjective => "past objective",
            Self::Lost => "backup lost",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::Partial => "partial",
            Self::Shrinking => "shrinking",
            Self::Unverified => "unverified",
            Self::Missing => "missing in Azure",
            Self::NoPolicy => "no policy",
            Self::NoObjective => "no objective",
            Self::Acknowledged => "acknowledged",
            Self::Paused => "paused",
            Self::FirstUnderWay => "first backup under way",
            Self::UnderWay => "under way",
            Self::Good => "good",
            Self::Left => "left the fleet",
        }
    }

    /// Its name in URLs and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeverBackedUp => "never_backed_up",
            Self::PastObjective => "past_objective",
            Self::Lost => "lost",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::Partial => "partial",
            Self::Shrinking => "shrinking",
            Self::Unverified => "unverified",
            Self::Missing => "missing",
            Self::NoPolicy => "no_policy",
            Self::NoObjective => "no_objective",
            Self::Acknowledged => "acknowledged",
            Self::Paused => "paused",
            Self::FirstUnderWay => "first_under_way",
            Self::UnderWay => "under_way",
            Self::Good => "good",
            Self::Left => "left",
        }
    }
}

/// Whether the app has time for its first backup, which is under way. A failure before it counts.
fn is_first_under_way(status: &AppStatus) -> bool {
    let is_backup = |running: &Running| running.kind == RunKind::Backup;
    status.running.as_ref().is_some_and(is_backup)
        && !status.past_objective
        && status.last.is_none()
        && status.missed.is_none()
}

/// Whether a person has acknowledged the last failure of the app, and no good backup followed.
fn is_acknowledged(status: &AppStatus) -> bool {
    let has_failed =
        |last: &LastRun| last.outcome != Outcome::Succeeded && status.has_acknowledged(last.run_id);
    status.last.as_ref().is_some_and(has_failed) || missed_since_good(status).is_some()
}

/// Whether the app is past its objective, by now if it was not when its status was read.
fn is_past_objective(status: &AppStatus, now: Timestamp) -> bool {
    let age = status.last_good_at.and_then(|at| (now - at).to_std().ok());
    let is_older = |objective| age.is_some_and(|age| age > objective);
    status.past_objective || status.recovery_point_objective.is_some_and(is_older)
}

/// Whether storage that should be in reach did not answer for the backup of a run.
fn is_unverified(last: &LastRun) -> bool {
    matches!(last.verification, Some(Verification::Unreachable | Verification::Unusable))
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no condition of an app")]
pub struct InvalidCondition(pub String);

impl FromStr for Condition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|condition| condition.as_str() == text);
        found.ok_or_else(|| InvalidCondition(text.to_owned()))
    }
}
