//! Rows of `apps`.

use std::time::Duration;

use holdfast_model::{App, PolicyName};
use serde_json::{Value, json as object};

use crate::columns::json;
use crate::error::Result;
use crate::fleet::{Enrolled, Observation};
use crate::rules::enrolment::AppRow;
use crate::sql::arg::time_text;
use crate::sql::row::{FromRow, Row};
use crate::status::Departed;

impl FromRow for AppRow {
    const TABLE: &'static str = "apps";
    const KEY: &'static [&'static str] = &["app"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let objective = row.maybe_int("recovery_point_objective_s")?;
        let seconds =
            |seconds| u64::try_from(seconds).map_err(|_| row.wrong("recovery_point_objective_s", seconds));
        Ok(Self {
            enrolled: Enrolled {
                app: App {
                    id: row.parse("app")?,
                    policy: row.maybe_text("policy")?.map(PolicyName::new),
                    plan: row.maybe_text("plan")?,
                    databases: Vec::new(),
                    tags: row.json("tags")?,
                    paused: row.bool("paused")?,
                },
                recovery_point_objective: objective.map(seconds).transpose()?.map(Duration::from_secs),
                retention: row.maybe_json("retention")?,
                partial_is_good: row.bool("partial_is_good")?,
                schedule: None,
                observation: Observation {
                    observed_at: row.maybe_time("seen_at")?,
                    missing_since: row.maybe_time("missing_since")?,
                    owed: None,
                },
            },
            enrolled_at: row.time("enrolled_at")?,
            departed: departed(row)?,
        })
    }
}

fn departed(row: &Row<'_>) -> Result<Option<Departed>> {
    let Some(at) = row.maybe_time("removed_at")? else { return Ok(None) };
    Ok(Some(Departed { at, reason: row.word("removed_reason")? }))
}

/// The columns of an app.
pub(crate) fn columns(row: &AppRow) -> Value {
    let AppRow { enrolled: Enrolled { app, recovery_point_objective, retention, .. }, .. } = row;
    let seconds = |objective: Duration| i64::try_from(objective.as_secs()).unwrap_or(i64::MAX);
    object!({
        "app": app.id.to_string(),
        "policy": app.policy.as_ref().map(PolicyName::as_str),
        "plan": app.plan,
        "paused": app.paused,
        "recovery_point_objective_s": recovery_point_objective.map(seconds),
        "retention": retention.as_ref().map(json),
        "partial_is_good": row.enrolled.partial_is_good,
        "enrolled_at": time_text(row.enrolled_at),
        "seen_at": row.enrolled.observation.observed_at.map(time_text),
        "missing_since": row.enrolled.observation.missing_since.map(time_text),
        "removed_at": row.departed.map(|departed| time_text(departed.at)),
        "removed_reason": row.departed.map(|departed| departed.reason.as_str()),
        "tags": json(&app.tags),
    })
}
