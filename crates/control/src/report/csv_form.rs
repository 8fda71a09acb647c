//! A report as a table: one row for each app.

use holdfast_model::{Timestamp, format_timestamp};

use super::summary::{AppReport, Report};
use crate::error::{Error, ErrorKind};

const COLUMNS: [&str; 17] = [
    "month",
    "app",
    "name",
    "policy",
    "owed",
    "good",
    "partial",
    "failed",
    "missed",
    "drills_passed",
    "drills_failed",
    "proven_at",
    "kept",
    "oldest_kept_at",
    "deleted",
    "lost",
    "acts",
];

/// The report as CSV.
pub fn csv(report: &Report) -> Result<Vec<u8>, Error> {
    let failed =
        |error: String| Error::new(ErrorKind::Invalid, format!("the table cannot be written: {error}"));
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS).map_err(|error| failed(error.to_string()))?;
    for app in &report.apps {
        table.write_record(row(report, app)).map_err(|error| failed(error.to_string()))?;
    }
    table.into_inner().map_err(|error| failed(error.to_string()))
}

fn row(report: &Report, app: &AppReport) -> [String; COLUMNS.len()] {
    let time = |at: Option<Timestamp>| at.map(format_timestamp).unwrap_or_default();
    [
        report.month.clone(),
        app.app.to_string(),
        app.name.clone(),
        app.policy.as_ref().map(ToString::to_string).unwrap_or_default(),
        app.owed.to_string(),
        app.good.to_string(),
        app.partial.to_string(),
        app.failed.to_string(),
        app.missed.to_string(),
        app.drills_passed.to_string(),
        app.drills_failed.to_string(),
        time(app.proven_at),
        app.kept.to_string(),
        time(app.oldest_kept_at),
        app.deleted.to_string(),
        app.lost.to_string(),
        app.acts().join("; "),
    ]
}
