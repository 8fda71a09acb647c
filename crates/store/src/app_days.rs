//! The daily roll-up of backup runs: one row per app and day.

use chrono::NaiveDate;
use holdfast_model::{AppId, PolicyName};
use serde::Serialize;
use utoipa::ToSchema;

/// A UTC day.
pub type Day = NaiveDate;

/// The backup runs of an app that ended on one day.
///
/// It serializes as its row. It follows from the runs: it is written in the transaction that ends a run or records a missed tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppDay {
    /// The UTC day on which the runs ended; of a missed run, the day of its tick.
    pub day: Day,
    /// The app.
    pub app: AppId,
    /// The policy of the day's latest run.
    pub policy: Option<PolicyName>,
    /// Numbers of runs.
    #[serde(flatten)]
    pub counts: DayCounts,
    /// The size of the day's latest backup in bytes.
    pub bytes: Option<i64>,
}

/// How the backup runs of a day ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayCounts {
    /// Runs whose backup counts as good under their policy.
    pub good: u32,
    /// Runs that ended with a partial backup that does not count as good.
    pub partial: u32,
    /// Runs that failed or were exhausted.
    pub failed: u32,
    /// Ticks that were not run.
    pub missed: u32,
}

impl DayCounts {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: Self) {
        let Self { good, partial, failed, missed } = other;
        self.good = self.good.saturating_add(good);
        self.partial = self.partial.saturating_add(partial);
        self.failed = self.failed.saturating_add(failed);
        self.missed = self.missed.saturating_add(missed);
    }

    /// The number of runs.
    pub fn runs(self) -> u32 {
        let Self { good, partial, failed, missed } = self;
        good.saturating_add(partial).saturating_add(failed).saturating_add(missed)
    }
}
