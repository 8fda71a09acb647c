//! The status of every app.

use crate::error::Result;
use crate::rules::enrolment::AppRow;
use crate::rules::status::{AppFacts, status as of_app};
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;
use crate::status::{AppStatus, LastRun, Running};

pub(super) const STATUS: &str = "read the fleet's status";

impl FromRow for AppFacts {
    const TABLE: &'static str = AppRow::TABLE;
    const KEY: &'static [&'static str] = AppRow::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            app: AppRow::read(row)?,
            next_tick: row.or_none(row.maybe_time("next_at")),
            running: row.or_none(running(row)),
            last: row.or_none(last(row)),
            last_good_at: row.or_none(row.maybe_time("last_good_at")),
        })
    }
}

/// The current run, as the texts of its kind and its state: `backup polling`.
fn running(row: &Row<'_>) -> Result<Option<Running>> {
    let Some(text) = row.maybe_text("running")? else { return Ok(None) };
    let word = |word: &str| serde_json::Value::from(word);
    let (kind, state) = text.split_once(' ').unwrap_or((&text, ""));
    let running = serde_json::json!([word(kind), word(state)]);
    let (kind, state) = serde_json::from_value(running).map_err(|error| row.wrong("running", error))?;
    Ok(Some(Running { kind, state }))
}

fn last(row: &Row<'_>) -> Result<Option<LastRun>> {
    let (Some(run_id), Some(outcome), Some(ended_at)) =
        (row.maybe_id("last_id")?, row.maybe_word("last_outcome")?, row.maybe_time("last_ended_at")?)
    else {
        return Ok(None);
    };
    Ok(Some(LastRun { run_id, outcome, cause: row.maybe_word("last_cause")?, ended_at }))
}

pub(super) async fn status<S: Session>(session: &mut S) -> Result<Vec<AppStatus>> {
    let now = session.now().await?;
    let apps: Vec<AppFacts> = fetch_readable(session, S::DIALECT.status, Vec::new()).await?;
    let mut apps: Vec<AppStatus> = apps.into_iter().map(|facts| of_app(facts, now)).collect();
    apps.sort_by(|one, two| one.app.cmp(&two.app));
    Ok(apps)
}
