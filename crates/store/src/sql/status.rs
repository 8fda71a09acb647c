//! The status of every app.

use crate::error::Result;
use crate::rules::enrolment::AppRow;
use crate::rules::status::{AppFacts, status as of_app};
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;
use crate::status::{Acknowledgement, AppStatus, CheckStatus, LastRun, Missed, Pause, Running};

pub(super) const STATUS: &str = "read the fleet's status";

impl FromRow for AppFacts {
    const TABLE: &'static str = AppRow::TABLE;
    const KEY: &'static [&'static str] = AppRow::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            app: AppRow::read(row)?,
            next_tick: row.or_none(row.maybe_time("next_at")),
            running: row.or_none(running(row)),
            last: row.or_none(last(row, &LAST)),
            missed: row.or_none(missed(row)),
            last_good_at: row.or_none(row.maybe_time("last_good_at")),
            sas_expiry: row.or_none(row.maybe_time("last_good_sas_expiry")),
            proven_at: row.or_none(row.maybe_time("proven_at")),
            check: CheckStatus {
                last: row.or_none(last(row, &CHECK)),
                lost: row.count::<u64>("lost")?,
                drift: row.or_none(row.maybe_bool("drift")).unwrap_or_default(),
            },
            pause: row.or_none(pause(row)),
            acknowledged: row.or_none(acknowledged(row)),
        })
    }
}

fn running(row: &Row<'_>) -> Result<Option<Running>> {
    let (Some(run_id), Some(kind), Some(state), Some(since), Some(next_try)) = (
        row.maybe_id("running_id")?,
        row.maybe_word("running_kind")?,
        row.maybe_word("running_state")?,
        row.maybe_time("running_since")?,
        row.maybe_time("running_due_at")?,
    ) else {
        return Ok(None);
    };
    Ok(Some(Running { run_id, kind, state, cause: row.maybe_word("running_cause")?, since, next_try }))
}

fn missed(row: &Row<'_>) -> Result<Option<Missed>> {
    let (Some(run_id), Some(tick)) = (row.maybe_id("missed_id")?, row.maybe_time("missed_tick")?) else {
        return Ok(None);
    };
    Ok(Some(Missed { run_id, tick, cause: row.maybe_word("missed_cause")? }))
}

fn pause(row: &Row<'_>) -> Result<Option<Pause>> {
    let (Some(until), Some(since)) = (row.maybe_time("paused_until")?, row.maybe_time("paused_since")?)
    else {
        return Ok(None);
    };
    Ok(Some(Pause { until, reason: row.text("pause_reason")?, actor: row.text("paused_by")?, since }))
}

fn acknowledged(row: &Row<'_>) -> Result<Option<Acknowledgement>> {
    let (Some(run_id), Some(at)) = (row.maybe_id("acknowledged_run")?, row.maybe_time("acknowledged_at")?)
    else {
        return Ok(None);
    };
    let (note, actor) = (row.text("acknowledged_note")?, row.text("acknowledged_by")?);
    Ok(Some(Acknowledgement { run_id, note, actor, at }))
}

/// The columns of a run that ended: its id, outcome, cause, verification and end.
struct LastColumns([&'static str; 5]);

const LAST: LastColumns =
    LastColumns(["last_id", "last_outcome", "last_cause", "last_verification", "last_ended_at"]);
const CHECK: LastColumns =
    LastColumns(["check_id", "check_outcome", "check_cause", "check_verification", "check_ended_at"]);

fn last(row: &Row<'_>, columns: &LastColumns) -> Result<Option<LastRun>> {
    let LastColumns([id, outcome, cause, verification, ended_at]) = columns;
    let (Some(run_id), Some(outcome), Some(ended_at)) =
        (row.maybe_id(id)?, row.maybe_word(outcome)?, row.maybe_time(ended_at)?)
    else {
        return Ok(None);
    };
    let (cause, verification) = (row.maybe_word(cause)?, row.maybe_word(verification)?);
    Ok(Some(LastRun { run_id, outcome, cause, verification, ended_at }))
}

pub(super) async fn status<S: Session>(session: &mut S) -> Result<Vec<AppStatus>> {
    let now = session.now().await?;
    let since = vec![Arg::Time(now - CheckStatus::LOST_FOR)];
    let apps: Vec<AppFacts> = fetch_readable(session, S::DIALECT.status, since).await?;
    let mut apps: Vec<AppStatus> = apps.into_iter().map(|facts| of_app(facts, now)).collect();
    apps.sort_by(|one, two| one.app.cmp(&two.app));
    Ok(apps)
}
