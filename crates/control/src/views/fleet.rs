//! The fleet as a list: search, facets, sort and pages.

use std::collections::BTreeSet;

use holdfast_model::{AppId, Cause, PolicyName, TagFilter, Tags, Timestamp};
use holdfast_store::Running;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::condition::{Condition, Severity};
use crate::views::day_mark::DayMark;
use crate::views::sas_state::SasState;

/// Which apps a page shows, in which order, and after which row.
///
/// Filters of one kind are alternatives, but for tags; filters of different kinds all apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetQuery {
    /// Words that the app's short name, resource group or policy holds, all of them; in any case.
    pub text: String,
    /// Policies; the empty name stands for no policy.
    pub policies: BTreeSet<String>,
    /// Subscriptions, by id.
    pub subscriptions: BTreeSet<String>,
    /// Resource groups.
    pub resource_groups: BTreeSet<String>,
    /// Tags that an app must have, all of them.
    pub tags: BTreeSet<TagFilter>,
    /// Conditions. Without any, apps that left the fleet are left out.
    pub conditions: BTreeSet<Condition>,
    /// Causes of the last failure or of the latest missed tick.
    pub causes: BTreeSet<Cause>,
    /// Only apps whose last failure or missed tick is of the last 24 hours.
    pub recent: bool,
    /// Only apps whose SAS people should renew: it expires within a week, or has expired.
    pub sas_lapsing: bool,
    /// The order.
    pub sort: Sort,
    /// Whether the order is reversed.
    pub reverse: bool,
    /// The cursor of the page: opaque.
    pub after: Option<String>,
}

/// The order of the rows. Rows that are equal in it are ordered by name, then by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By condition, the worst first; then the oldest recovery point.
    #[default]
    Worst,
    /// By short name.
    Name,
    /// The oldest recovery point first; apps without one before all others.
    Age,
    /// The next tick first; apps without one last.
    NextTick,
    /// The largest latest backup first.
    Size,
    /// The SAS that expires next first; apps without a known expiry last.
    Sas,
    /// The oldest proof by a drill first; apps without one before all others.
    Proven,
}

/// One page of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FleetPage {
    /// When the store was read.
    pub as_of: Timestamp,
    /// Apps of the fleet, without those that left.
    pub enrolled: usize,
    /// Apps that match the query on all pages.
    pub matching: usize,
    /// The rows of this page.
    pub rows: Vec<FleetRow>,
    /// The facets.
    pub facets: Facets,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<String>,
    /// Whether the store cannot be reached, so that the rows are old.
    pub store_away: bool,
}

/// The values that narrow a query, each kind the most frequent first; conditions the worst first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facets {
    /// Conditions.
    pub conditions: Vec<Facet>,
    /// Policies.
    pub policies: Vec<Facet>,
    /// Causes.
    pub causes: Vec<Facet>,
    /// Subscriptions.
    pub subscriptions: Vec<Facet>,
    /// Resource groups.
    pub resource_groups: Vec<Facet>,
    /// The most frequent tags.
    pub tags: Vec<Facet>,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facet {
    /// The value, as [`FleetQuery`] has it.
    pub value: String,
    /// The value for people.
    pub label: String,
    /// Apps that have it and match the filters of all other kinds; of a tag, also the other tags.
    pub count: usize,
    /// Whether the query has it.
    pub is_selected: bool,
}

/// An app as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FleetRow {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// Its tags.
    pub tags: Tags,
    /// Its condition.
    pub condition: Condition,
    /// How much attention that needs.
    pub severity: Severity,
    /// The cause of its last failure or of its latest missed tick.
    pub cause: Option<Cause>,
    /// Whether its scheduled runs are suspended.
    pub paused: bool,
    /// Its latest recovery point.
    pub last_good_at: Option<Timestamp>,
    /// Its recovery point objective in seconds.
    pub objective_s: Option<u64>,
    /// The age of its latest recovery point in thousandths of the objective; 1000 is the objective.
    pub age_permille: Option<u32>,
    /// The last 30 days, the oldest first.
    pub days: Vec<DayMark>,
    /// The size of its latest backup in bytes.
    pub last_bytes: Option<i64>,
    /// The sizes of its backups of the last 30 days in bytes, the oldest first, one per day at most.
    pub sizes: Vec<i64>,
    /// When its next tick is due.
    pub next_tick: Option<Timestamp>,
    /// When the SAS expires that its latest good backup was written with.
    pub sas_expiry: Option<Timestamp>,
    /// How that stands.
    pub sas: Option<SasState>,
    /// When a drill last proved that one of its backups can be restored.
    pub proven_at: Option<Timestamp>,
    /// Its unfinished backup, restore or drill.
    pub running: Option<Running>,
}
