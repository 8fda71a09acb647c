//! Runs, the newest first.

use holdfast_model::{Run, RunKind, StateCode};
use sqlx::SqliteConnection;

use super::driver::During;
use super::row::RunRow;
use crate::{Error, RunFilter};

pub(super) const LIST: &str = "list runs";

// Each has an index of its own, whose policy snapshot it repeats as they stand there. Those of a kind are for all but backups.

const OF_ALL: &str =
    "/* list */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
        failure_counts, created_at, due_at, ended_at
    FROM runs WHERE ?1 IS NULL AND (?2 IS NULL OR state = ?2) AND (?4 IS NULL OR kind = ?4)
        AND (?5 OR state <> 'ended')
    ORDER BY created_at DESC, id DESC LIMIT ?3";

const UNFINISHED: &str =
    "/* list */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
        failure_counts, created_at, due_at, ended_at
    FROM runs WHERE ?1 IS NULL AND (?2 IS NULL OR state = ?2) AND (?4 IS NULL OR kind = ?4)
        AND ?5 = ?5 AND state <> 'ended'
    ORDER BY created_at DESC, id DESC LIMIT ?3";

const OF_KIND: &str = "/* list_of_kind */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
        failure_counts, created_at, due_at, ended_at
    FROM runs WHERE ?1 IS NULL AND (?2 IS NULL OR state = ?2) AND kind = ?4
        AND kind <> 'backup' AND (?5 OR state <> 'ended')
    ORDER BY created_at DESC, id DESC LIMIT ?3";

const UNFINISHED_OF_KIND: &str = "/* list_unfinished_of_kind */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
        failure_counts, created_at, due_at, ended_at
    FROM runs WHERE ?1 IS NULL AND (?2 IS NULL OR state = ?2) AND kind = ?4 AND kind <> 'backup'
        AND ?5 = ?5 AND state <> 'ended'
    ORDER BY created_at DESC, id DESC LIMIT ?3";

const OF_APP: &str =
    "/* list */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
        failure_counts, created_at, due_at, ended_at
    FROM runs WHERE app = ?1 AND (?2 IS NULL OR state = ?2) AND (?4 IS NULL OR kind = ?4)
        AND (?5 OR state <> 'ended')
    ORDER BY created_at DESC, id DESC LIMIT ?3";

const OF_APP_AND_KIND: &str = "/* list_of_app_and_kind */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
        failure_counts, created_at, due_at, ended_at
    FROM runs WHERE app = ?1 AND (?2 IS NULL OR state = ?2) AND kind = ?4 AND kind <> 'backup'
        AND (?5 OR state <> 'ended')
    ORDER BY created_at DESC, id DESC LIMIT ?3";

pub(super) async fn list(connection: &mut SqliteConnection, filter: &RunFilter) -> Result<Vec<Run>, Error> {
    let rows: Vec<RunRow> = sqlx::query_as(statement(filter))
        .bind(filter.app.as_ref().map(ToString::to_string))
        .bind(filter.state.map(StateCode::as_str))
        .bind(if filter.most == 0 { -1 } else { i64::from(filter.most) })
        .bind(filter.kind.map(RunKind::as_str))
        .bind(!filter.unfinished)
        .fetch_all(connection)
        .await
        .during(LIST)?;
    rows.into_iter().map(|row| row.read(LIST)).collect()
}

fn statement(filter: &RunFilter) -> &'static str {
    let is_of_few = filter.kind.is_some_and(|kind| kind != RunKind::Backup);
    match (filter.app.is_some(), is_of_few, filter.unfinished) {
        (false, false, false) => OF_ALL,
        (false, false, true) => UNFINISHED,
        (false, true, false) => OF_KIND,
        (false, true, true) => UNFINISHED_OF_KIND,
        (true, false, _) => OF_APP,
        (true, true, _) => OF_APP_AND_KIND,
    }
}
