//! The rule, as a policy of the fleet file gives it.

use serde::{Deserialize, Serialize};

/// How long backups are owed. A backup that any part of the rule keeps is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Days of 24 hours that every backup is kept.
    pub days: u32,
    /// Good backups kept however old they are, the newest first. With 0 the last good one is kept all the same.
    pub keep_at_least: u32,
    /// Good backups kept longer, one for each of the last hours, days, weeks, months and years.
    #[serde(default)]
    pub keep: Keep,
    /// Whether it only tells what it would delete.
    #[serde(default = "only_tells")]
    pub dry_run: bool,
}

/// How many of the last periods that have a good backup keep their newest one, for each length of period: what is
/// known as grandfather, father, son. 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// A rule without periods, that only tells what it would delete.
    pub fn new(days: u32, keep_at_least: u32) -> Self {
        Self { days, keep_at_least, keep: Keep::default(), dry_run: only_tells() }
    }
}

/// Nothing is deleted by a rule that was written before it could delete.
fn only_tells() -> bool {
    true
}
