//! The forecast as a chart of text. Pure.

use std::time::Duration;

use holdfast_model::Timestamp;

use super::fleet_forecast::FleetForecast;

/// The width of the longest bar.
const WIDTH: usize = 40;
/// The most rows.
const ROWS: u64 = 24;
/// The widths of a row, in minutes.
const STEPS: [u64; 7] = [5, 15, 30, 60, 120, 360, 1_440];

/// A line for each span of time: when it begins, a bar as long as backups are under way at most, and how many begin.
pub fn chart(forecast: &FleetForecast) -> Vec<String> {
    let Some(end) = forecast.backups.iter().map(|backup| backup.ends_at).max() else { return Vec::new() };
    let minutes = (end - forecast.from).num_minutes().max(0).unsigned_abs();
    let step = STEPS.into_iter().find(|step| minutes <= step * ROWS).unwrap_or(minutes.div_ceil(ROWS));
    let step = Duration::from_mins(step);
    let from = floor(forecast.from, step);
    let rows: Vec<Row> = std::iter::successors(Some(from), |at| Some(*at + step))
        .take_while(|at| *at <= end)
        .map(|at| Row::of(forecast, at, at + step))
        .collect();
    let most = rows.iter().map(|row| row.under_way).max().unwrap_or(0).max(1);
    let header = format!("{:<11} {:<WIDTH$} {:>9} {:>6}", "UTC", "", "UNDER WAY", "BEGIN");
    [header].into_iter().chain(rows.iter().map(|row| row.line(most))).collect()
}

struct Row {
    at: Timestamp,
    under_way: usize,
    begin: usize,
}

impl Row {
    fn of(forecast: &FleetForecast, from: Timestamp, until: Timestamp) -> Self {
        let backups = &forecast.backups;
        let begin = backups.iter().filter(|backup| (from..until).contains(&backup.begins_at)).count();
        Self { at: from, under_way: most_at_once(forecast, from, until), begin }
    }

    fn line(&self, most: usize) -> String {
        let bar = "#".repeat((self.under_way * WIDTH).div_ceil(most));
        let Self { at, under_way, begin } = self;
        let at = at.format("%m-%d %H:%M");
        if *under_way == 0 {
            return at.to_string();
        }
        format!("{at} {bar:<WIDTH$} {under_way:>9} {begin:>6}")
    }
}

/// The most backups at once from `from` until before `until`.
fn most_at_once(forecast: &FleetForecast, from: Timestamp, until: Timestamp) -> usize {
    let mut changes: Vec<(Timestamp, i32)> = Vec::new();
    for backup in forecast.backups.iter().filter(|backup| backup.begins_at < until && backup.ends_at > from) {
        changes.extend([(backup.begins_at.max(from), 1), (backup.ends_at, -1)]);
    }
    changes.sort();
    let at_once = changes.into_iter().scan(0, |count, (_, change)| {
        *count += change;
        Some(*count)
    });
    usize::try_from(at_once.max().unwrap_or(0)).unwrap_or(0)
}

/// The last whole step before a time.
fn floor(at: Timestamp, step: Duration) -> Timestamp {
    let step = i64::try_from(step.as_secs()).unwrap_or(60);
    Timestamp::from_timestamp(at.timestamp() - at.timestamp().rem_euclid(step), 0).unwrap_or(at)
}
