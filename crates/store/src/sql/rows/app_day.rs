//! Rows of `app_days`.

use holdfast_model::PolicyName;
use serde_json::{Value, json as object};

use crate::app_days::{AppDay, DayCounts};
use crate::error::Result;
use crate::sql::row::{FromRow, Row};

impl FromRow for AppDay {
    const TABLE: &'static str = "app_days";
    const KEY: &'static [&'static str] = &["app", "day"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let counts = DayCounts {
            good: row.count("good")?,
            partial: row.count("partial")?,
            failed: row.count("failed")?,
            missed: row.count("missed")?,
        };
        Ok(Self {
            day: row.parse("day")?,
            app: row.parse("app")?,
            policy: row.maybe_text("policy")?.map(PolicyName::new),
            counts,
            bytes: row.maybe_int("bytes")?,
        })
    }
}

/// What a row adds to the day of its app.
pub(crate) fn columns(added: &AppDay) -> Value {
    let AppDay { day, app, policy, counts: DayCounts { good, partial, failed, missed }, bytes } = added;
    object!({
        "app": app.to_string(),
        "day": day.to_string(),
        "policy": policy.as_ref().map(PolicyName::as_str),
        "good": good,
        "partial": partial,
        "failed": failed,
        "missed": missed,
        "bytes": bytes,
    })
}
