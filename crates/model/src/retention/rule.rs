//! The retention rule of a policy.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long backups are kept. A backup that any part of the rule keeps is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retention {
    /// Days of 24 hours for which every backup is kept.
    pub days: u32,
    /// Newest good backups kept regardless of age. The last good one is kept even with 0.
    pub keep_at_least: u32,
    /// Good backups kept for periods: one each for the last hours, days, weeks, months and years.
    #[serde(default)]
    pub keep: Keep,
    /// Whether deletions are only reported.
    #[serde(default = "only_reports")]
    pub dry_run: bool,
}

/// Number of most recent periods that keep their newest good backup (grandfather-father-son). 0 keeps none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Keep {
    /// Hours.
    pub hourly: u32,
    /// Days, from midnight to midnight.
    pub daily: u32,
    /// Weeks of ISO 8601, which begin on Monday.
    pub weekly: u32,
    /// Months.
    pub monthly: u32,
    /// Years.
    pub yearly: u32,
}

impl Retention {
    /// A rule without periods that only reports deletions.
    pub fn new(days: u32, keep_at_least: u32) -> Self {
        Self { days, keep_at_least, keep: Keep::default(), dry_run: only_reports() }
    }
}

/// A rule that does not say otherwise deletes nothing.
fn only_reports() -> bool {
    true
}
