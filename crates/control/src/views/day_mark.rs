//! What one day did for an app's backups: a mark of a strip or a calendar.

use chrono::NaiveDate;
use holdfast_model::Timestamp;
use holdfast_store::{AppDay, DayCounts};
use serde::Serialize;
use utoipa::ToSchema;

/// One day of an app or of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayMark {
    /// The UTC day.
    pub day: NaiveDate,
    /// How the day went.
    pub result: DayResult,
    /// How many backup runs ended in which way.
    pub counts: DayCounts,
    /// The size of an app's latest backup of the day in bytes.
    pub bytes: Option<i64>,
}

/// How a day went: good where at least half of the runs were, else the worst of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayResult {
    /// No run ended.
    None,
    /// At least half of the runs were good.
    Good,
    /// Runs ended with partial backups.
    Partial,
    /// Ticks were not run.
    Missed,
    /// Runs failed.
    Failed,
}

impl DayMark {
    /// The mark of a day with these counts.
    pub fn new(day: NaiveDate, counts: DayCounts, bytes: Option<i64>) -> Self {
        Self { day, result: DayResult::of(counts), counts, bytes }
    }

    /// A day without runs.
    pub fn empty(day: NaiveDate) -> Self {
        Self::new(day, DayCounts::default(), None)
    }
}

impl From<&AppDay> for DayMark {
    fn from(day: &AppDay) -> Self {
        Self::new(day.day, day.counts, day.bytes)
    }
}

impl DayResult {
    /// The result of a day with these counts.
    pub fn of(counts: DayCounts) -> Self {
        let DayCounts { good, partial, failed, missed } = counts;
        if counts.runs() == 0 {
            Self::None
        } else if good >= partial.saturating_add(failed).saturating_add(missed) {
            Self::Good
        } else if failed > 0 {
            Self::Failed
        } else if missed > 0 {
            Self::Missed
        } else {
            Self::Partial
        }
    }

    /// Its name in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Good => "good",
            Self::Partial => "partial",
            Self::Missed => "missed",
            Self::Failed => "failed",
        }
    }
}

/// The first of the `count` UTC days that end with the day of `now`.
pub fn first_day(now: Timestamp, count: u16) -> NaiveDate {
    let today = now.date_naive();
    today.checked_sub_days(chrono::Days::new(u64::from(count.max(1)) - 1)).unwrap_or(today)
}

/// The `count` days that end with the day of `now`, the oldest first. Days that `marks` leaves out are empty.
pub fn strip(marks: &[DayMark], now: Timestamp, count: u16) -> Vec<DayMark> {
    let mark = |day: NaiveDate| {
        marks.iter().find(|mark| mark.day == day).copied().unwrap_or_else(|| DayMark::empty(day))
    };
    first_day(now, count).iter_days().take(usize::from(count)).map(mark).collect()
}
