//! The status of every app.

use crate::error::Result;
use crate::rules::enrolment::AppRow;
use crate::rules::status::{AppFacts, status as of_app};
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;
use crate::status::{AppStatus, LastRun, Missed, Running};

pub(super) const STATUS: &str = "read the fleet's status";

impl FromRow for AppFacts {
    const KEY: &'static [&'static str] = AppRow::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            app: AppRow::read(row)?,
            next_tick: row.maybe_time("next_at")?,
            running: running(row)?,
            last: last(row)?,
            missed: missed(row)?,
            last_good_at: row.maybe_time("last_good_at")?,
        })
    }
}

fn running(row: &Row<'_>) -> Result<Option<Running>> {
    let (Some(kind), Some(state), Some(since), Some(next_try)) = (
        row.maybe_word("running_kind")?,
        row.maybe_word("running_state")?,
        row.maybe_time("running_since")?,
        row.maybe_time("running_due_at")?,
    ) else {
        return Ok(None);
    };
    Ok(Some(Running { kind, state, cause: row.maybe_word("running_cause")?, since, next_try }))
}

fn missed(row: &Row<'_>) -> Result<Option<Missed>> {
    let (Some(run_id), Some(tick)) = (row.maybe_id("missed_id")?, row.maybe_time("missed_tick")?) else {
        return Ok(None);
    };
    Ok(Some(Missed { run_id, tick, cause: row.maybe_word("missed_cause")? }))
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
    let apps: Vec<AppFacts> = session.fetch(S::DIALECT.status, Vec::new()).await?;
    let mut apps: Vec<AppStatus> = apps.into_iter().map(|facts| of_app(facts, now)).collect();
    apps.sort_by(|one, two| one.app.cmp(&two.app));
    Ok(apps)
}
