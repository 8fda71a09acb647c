//! The forecast of a fleet, and what people should know of it.

use holdfast_model::{AppId, PolicyName, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::timetable::WaitsFor;
use crate::wording::counted;

/// What to forecast.
#[derive(Debug, Clone, Copy)]
pub struct ForecastRequest {
    /// From when.
    pub from: Timestamp,
    /// Until when ticks count. Backups that begin before it are followed to their end.
    pub until: Timestamp,
    /// How many apps the fleet is taken to have; `None` for as many as it has. More apps than there are repeat the fleet, with plans of
    /// their own.
    pub apps: Option<usize>,
}

/// The forecast of a fleet.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct FleetForecast {
    /// From when.
    pub from: Timestamp,
    /// Until when ticks count.
    pub until: Timestamp,
    /// The apps with a schedule.
    pub apps: usize,
    /// Apps without a past backup, whose duration is taken to be the fleet's median.
    pub apps_without_history: usize,
    /// The window of each policy.
    pub policies: Vec<PolicyWindow>,
    /// The objectives that will be missed, even if every backup succeeds.
    pub missed_objectives: Vec<MissedObjective>,
    /// Apps whose backups go beyond what Azure makes in a day.
    pub beyond_daily_limit: Vec<BeyondDailyLimit>,
    /// The backups.
    pub backups: Vec<ForecastBackup>,
}

/// The window of a policy.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct PolicyWindow {
    /// The policy.
    pub policy: PolicyName,
    /// Its apps, and their backups.
    pub apps: usize,
    /// Its backups.
    pub backups: usize,
    /// Ticks that are not run, because the app's previous backup is under way.
    pub overlapping: usize,
    /// When the first backup is due.
    pub first_due: Timestamp,
    /// When the last backup begins.
    pub last_begins: Timestamp,
    /// When the last backup ends.
    pub last_ends: Timestamp,
    /// The longest wait between due and begun, in seconds.
    pub longest_wait_s: u64,
    /// What most of the waiting backups wait for.
    pub waits_for: Option<WaitsFor>,
}

/// An objective that will be missed.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct MissedObjective {
    /// The app.
    pub app: AppId,
    /// Since when the app is past its objective.
    pub since: Timestamp,
}

/// An app with more backups in a day than Azure makes.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct BeyondDailyLimit {
    /// The app.
    pub app: AppId,
    /// The most backups on a day (UTC).
    pub backups: usize,
    /// How many Azure makes: 12 in Basic and Standard, 50 in Premium.
    pub limit: usize,
}

impl BeyondDailyLimit {
    /// The store does not know the app's tier.
    fn limit_in_words(&self) -> String {
        match self.limit {
            DAILY => format!("{DAILY} in Basic and Standard ({DAILY_IN_PREMIUM} in Premium and Isolated)"),
            limit => limit.to_string(),
        }
    }
}

/// A backup of the forecast.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct ForecastBackup {
    /// The app.
    pub app: AppId,
    /// When it is due.
    pub due_at: Timestamp,
    /// When it begins.
    pub begins_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// What it waited for at last.
    pub waits_for: Option<WaitsFor>,
}

/// Backups that Azure makes of an app in a day, by its documentation: in Basic and Standard, and in Premium and Isolated.
pub(super) const DAILY: usize = 12;
pub(super) const DAILY_IN_PREMIUM: usize = 50;

/// How many apps a note names.
const NAMED: usize = 10;

impl FleetForecast {
    /// What the time brings, in one sentence.
    pub fn sentence(&self) -> String {
        let hours = (self.until - self.from).num_hours();
        let count: usize = self.policies.iter().map(|window| window.backups).sum();
        let Some(end) = self.policies.iter().map(|window| window.last_ends).max().filter(|_| count > 0)
        else {
            return format!("No backup is due in the next {hours} hours.");
        };
        let begin = if count == 1 { "1 backup begins".to_owned() } else { format!("{count} backups begin") };
        let missed = match self.missed_objectives.len() {
            0 => String::new(),
            apps => format!(" {} will be past the objective, even if all succeed.", counted(apps, "app")),
        };
        format!(
            "In the next {hours} hours {begin}; the last one ends at about {}.{missed}",
            end.format("%H:%M UTC on %-d %b")
        )
    }

    /// What people should know beside the table, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let named = |apps: Vec<String>| {
            let more = apps.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}", apps.into_iter().take(NAMED).collect::<Vec<_>>().join(", "))
        };
        if !self.missed_objectives.is_empty() {
            let apps = self.missed_objectives.iter().map(|missed| {
                format!("{} from {} UTC", missed.app.short_name(), missed.since.format("%m-%d %H:%M"))
            });
            notes.push(format!(
                "{} apps will be past their objective, even if every backup succeeds: {}",
                self.missed_objectives.len(),
                named(apps.collect())
            ));
        }
        for beyond in &self.beyond_daily_limit {
            notes.push(format!(
                "Azure skips backups of {}: {} are due on one day (UTC), and it makes {}",
                beyond.app.short_name(),
                beyond.backups,
                beyond.limit_in_words()
            ));
        }
        if self.apps_without_history > 0 {
            notes.push(format!(
                "{} of {} apps have no past backup: theirs are taken to last as long as the others",
                self.apps_without_history, self.apps
            ));
        }
        notes
    }
}
