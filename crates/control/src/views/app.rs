//! One app: its recovery points, its runs and its schedule.

use holdfast_config::EffectiveValue;
use holdfast_model::{CatalogEntry, Cause, RunId, Timestamp};
use holdfast_store::AppStatus;
use serde::Serialize;
use utoipa::ToSchema;

use crate::runs::RunView;
use crate::schedule_preview::SchedulePreview;
use crate::views::condition::{Condition, Severity};
use crate::views::day_mark::DayMark;

/// One app.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppDetail)]
pub struct AppView {
    /// The store's time.
    pub as_of: Timestamp,
    /// Its short name.
    pub name: String,
    /// Its status.
    pub status: AppStatus,
    /// Its condition.
    pub condition: Condition,
    /// How much attention that needs.
    pub severity: Severity,
    /// How it stands, in one sentence.
    pub sentence: String,
    /// The cause of its last failure or of its latest missed tick.
    pub cause: Option<Cause>,
    /// What to do about that cause.
    pub advice: Option<String>,
    /// The age of its latest recovery point in thousandths of the objective; 1000 is the objective.
    pub age_permille: Option<u32>,
    /// Its backups that are there, the newest first, with holds, verifications and drills.
    pub recovery_points: Vec<CatalogEntry>,
    /// Its newest runs of all kinds, the newest first.
    pub runs: Vec<RunView>,
    /// The cursor of the runs before them; `None` where there are none.
    pub older_runs: Option<String>,
    /// Its next ticks in the policy's zone; `None` without a schedule.
    pub ticks: Option<SchedulePreview>,
    /// The last 365 days, the oldest first.
    pub days: Vec<DayMark>,
    /// Sizes and durations of its backups, the oldest first.
    pub measures: Vec<BackupMeasure>,
    /// The values of its policy as they apply, each with where the fleet file says it; empty without a policy.
    pub policy_values: Vec<PolicyValue>,
}

/// A value of a policy as it applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyValue {
    /// The key, such as `retry.timed_out`.
    pub key: String,
    /// The value as the fleet file would say it; `none` where there is none.
    pub value: String,
    /// The section that says it, such as `policy.gold` or `defaults`; `None` for what is built in.
    pub section: Option<String>,
    /// The included file that says it; `None` for the fleet file itself and for what is built in.
    pub file: Option<String>,
    /// The line of the file; `None` for what is built in.
    pub line: Option<usize>,
}

impl From<&EffectiveValue> for PolicyValue {
    fn from(value: &EffectiveValue) -> Self {
        let EffectiveValue { key, value, section, file, line } = value.clone();
        Self { key: key.into_owned(), value, section, file, line }
    }
}

/// The size and duration of one backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct BackupMeasure {
    /// The run.
    pub run_id: RunId,
    /// When Azure accepted it.
    pub accepted_at: Timestamp,
    /// Its size in bytes.
    pub bytes: i64,
    /// How long Azure took, in seconds.
    pub took_s: Option<u64>,
    /// Whether it counts as good.
    pub good: bool,
}
