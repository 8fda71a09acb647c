//! The overview: how the fleet stands, in one sentence and the numbers behind it.

use holdfast_model::{AppId, Cause, PolicyName, RunId, RunKind, StateCode, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::approvals::ApprovalView;
pub use crate::views::acts::PersonAct;
use crate::views::condition::Severity;
use crate::views::day_mark::DayMark;
use crate::views::end_forecast::EndForecast;
use crate::views::fleet::FleetQuery;

/// How the fleet stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Overview {
    /// When the store was read.
    pub as_of: Timestamp,
    /// The worst that is true, in one sentence.
    pub sentence: String,
    /// How bad that is.
    pub severity: Severity,
    /// The numbers beside it, in a few sentences.
    pub subtitle: String,
    /// Apps of the fleet, without those that left.
    pub enrolled: u64,
    /// The counts that matter, the worst first. A count may be 0.
    pub tiles: Vec<Tile>,
    /// Why apps failed in the last 24 hours, the most frequent first.
    pub causes: Vec<CauseRow>,
    /// Every policy on every of the last 30 days, by name; apps in no policy are left out.
    pub matrix: Vec<PolicyDays>,
    /// What is under way, the oldest first; at most [`UNDER_WAY_MAX`].
    pub under_way: Vec<UnderWayRow>,
    /// How many apps have a run under way.
    pub under_way_count: u64,
    /// What people did lately, the newest first.
    pub acts: Vec<PersonAct>,
    /// What waits for a second person, the newest first; at most [`APPROVALS_MAX`].
    pub approvals: Vec<ApprovalView>,
    /// How many requests wait for a second person.
    pub approval_count: u64,
    /// What people should know beside the numbers: subscriptions and storage that do not answer, checkpoints that fail.
    pub notes: Vec<String>,
    /// Whether the store cannot be reached, so that all of this is old.
    pub store_away: bool,
}

/// Requests to a second person, at most.
pub const APPROVALS_MAX: usize = 20;

/// Rows of what is under way, at most.
pub const UNDER_WAY_MAX: usize = 20;

/// A count of apps with the list that it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Tile {
    /// The number of apps.
    pub count: u64,
    /// What is counted, such as `past their objective`.
    pub label: String,
    /// How bad it is; [`Severity::Ok`] for a count of 0.
    pub severity: Severity,
    /// The apps.
    #[serde(serialize_with = "as_url")]
    #[schema(value_type = String)]
    pub query: FleetQuery,
}

/// A cause of failures, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CauseRow {
    /// The cause.
    pub cause: Cause,
    /// The cause for people.
    pub label: String,
    /// Apps whose last failure or missed tick has it.
    pub apps: u64,
    /// What to do about it.
    pub advice: String,
    /// Apps of them that can be backed up again now: in a policy, and not under way.
    pub retryable: u64,
    /// The apps.
    #[serde(serialize_with = "as_url")]
    #[schema(value_type = String)]
    pub query: FleetQuery,
}

/// A policy on each day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyDays {
    /// The policy.
    pub policy: PolicyName,
    /// Its apps.
    pub apps: u64,
    /// The last 30 days, the oldest first. A mark has no size.
    pub days: Vec<DayMark>,
    /// The apps.
    #[serde(serialize_with = "as_url")]
    #[schema(value_type = String)]
    pub query: FleetQuery,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnderWayRow {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// The kind of the run.
    pub kind: RunKind,
    /// The state of the run.
    pub state: StateCode,
    /// What it does or waits for, in words.
    pub what: String,
    /// When it was created.
    pub since: Timestamp,
    /// When its next step is due.
    pub next_try: Timestamp,
    /// Whether it waits longer than it should.
    pub is_stuck: bool,
    /// The run.
    pub run_id: RunId,
    /// When it will probably end, where the app's past says.
    pub ends: Option<EndForecast>,
}

fn as_url<S: serde::Serializer>(query: &FleetQuery, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&query.to_url())
}
