//! What can be wrong with an app, a policy or a subscription, and how bad that is. Pure.

use std::collections::BTreeMap;

use holdfast_model::Timestamp;
use holdfast_store::AppStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::status::has_vanished;
use crate::status_waits::missed_since_good;
use crate::views::Condition;
use crate::wording::counted;

/// What was found out.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Freshness {
    /// The store's time.
    pub at: Timestamp,
    /// The worst level.
    pub level: CheckLevel,
    /// How many apps were checked.
    pub apps: usize,
    /// The age of the oldest latest good backup, in seconds; `None` where no app has one.
    pub oldest_age_s: Option<u64>,
    /// How many findings there are of each kind.
    #[schema(value_type = BTreeMap<String, usize>)]
    pub counts: BTreeMap<FindingKind, usize>,
    /// The findings, the worst first.
    pub findings: Vec<FreshnessFinding>,
}

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FreshnessFinding {
    /// Its level.
    pub level: CheckLevel,
    /// Its kind.
    pub kind: FindingKind,
    /// The app, the policy or the subscription.
    pub of: String,
}

/// What can be wrong, the worst first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Deserialize,
    Serialize,
    ToSchema,
    strum::IntoStaticStr,
    strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FindingKind {
    /// The app's latest good backup is older than its objective, or it has none for as long.
    PastObjective,
    /// Backups of the app that a restore could use were lost.
    Lost,
    /// The app has no good backup, and its first run did not succeed or was missed.
    NeverBackedUp,
    /// The app's last backup run failed.
    Failed,
    /// A tick since the app's latest good backup was not run.
    Missed,
    /// The app's last backup lacks files.
    Partial,
    /// The app's last backup is much smaller than the one before.
    Shrinking,
    /// The app's last backup could not be checked.
    Unverified,
    /// Azure's list leaves the app out.
    Missing,
    /// The app is in no policy.
    NoPolicy,
    /// The app left the fleet lately, because Azure no longer has it.
    Left,
    /// No tick is planned for any app of the policy.
    NothingPlanned,
    /// Azure does not list the apps of the subscription.
    Unanswered,
}

/// How a monitoring system ranks a check, in the order of its exit codes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema, strum::Display,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum CheckLevel {
    /// Every app can be restored to where its policy says.
    Ok,
    /// Something will break an objective when it lasts.
    Warning,
    /// A restore would fail, or lose more than an objective allows.
    Critical,
    /// Nothing could be found out.
    Unknown,
}

impl FindingKind {
    /// What is wrong with an app; `None` for one that is as it should be, or that waits for its first tick.
    pub(super) fn of(status: &AppStatus, now: Timestamp) -> Option<Self> {
        if status.past_objective && !status.removed {
            return Some(Self::PastObjective);
        }
        let has_tried = status.last.is_some() || missed_since_good(status).is_some();
        match Condition::of(status, now) {
            Condition::NeverBackedUp => has_tried.then_some(Self::NeverBackedUp),
            Condition::PastObjective => Some(Self::PastObjective),
            Condition::Lost => Some(Self::Lost),
            Condition::Failed => Some(Self::Failed),
            Condition::Missed => Some(Self::Missed),
            Condition::Partial => Some(Self::Partial),
            Condition::Shrinking => Some(Self::Shrinking),
            Condition::Unverified => Some(Self::Unverified),
            Condition::Missing => Some(Self::Missing),
            Condition::NoPolicy => Some(Self::NoPolicy),
            Condition::Left => has_vanished(status, now).then_some(Self::Left),
            Condition::NoObjective
            | Condition::Acknowledged
            | Condition::Paused
            | Condition::FirstUnderWay
            | Condition::UnderWay
            | Condition::Good => None,
        }
    }

    /// How bad it is.
    pub fn level(self) -> CheckLevel {
        match self {
            Self::PastObjective | Self::Lost => CheckLevel::Critical,
            _ => CheckLevel::Warning,
        }
    }

    /// Its name in counts and metrics.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The finding of `count` apps, policies or subscriptions, in words.
    pub(super) fn sentence(self, count: usize) -> String {
        let (what, told) = match self {
            Self::PastObjective => ("app", "past the objective"),
            Self::Lost => ("app", "with lost backups"),
            Self::NeverBackedUp => ("app", "never backed up"),
            Self::Failed => ("app", "failed"),
            Self::Missed => ("app", "missed a tick"),
            Self::Partial => ("app", "with a partial backup"),
            Self::Shrinking => ("app", "with a much smaller backup"),
            Self::Unverified => ("app", "not verified"),
            Self::Missing => ("app", "missing in Azure's list"),
            Self::NoPolicy => ("app", "in no policy"),
            Self::Left => ("app", "gone from Azure"),
            Self::NothingPlanned => return format!("nothing planned for {}", policies(count)),
            Self::Unanswered => ("subscription", "not listed by Azure"),
        };
        format!("{} {told}", counted(count, what))
    }
}

fn policies(count: usize) -> String {
    if count == 1 { "1 policy".to_owned() } else { format!("{count} policies") }
}
