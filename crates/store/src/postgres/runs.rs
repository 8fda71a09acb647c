//! The runs: added, changed against the version they were read in, and read.

use std::collections::BTreeSet;

use holdfast_model::{Cause, NewRun, Outcome, PolicyName, Run, RunId, RunState, Task, Timestamp};
use serde_json::{Value, json as object};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::row::{Reading, RunRow, run_id, text, without_nul};
use super::session::During;
use super::time::Time;
use super::{audit, catalog, cursors, intents};
use crate::catalog::changes;
use crate::columns::{Ending, accepted_at, attempt, changed, json, not_added, stamp, stored, took, word};
use crate::intent::Intent;
use crate::{Change, Committed, Error, Loaded};

pub(super) const ADD: &str = "add a run";
pub(super) const ADD_ALL: &str = "add runs";
pub(super) const COMMIT: &str = "commit a change of a run";
pub(super) const LOAD: &str = "load a run";

/// Adds runs with the events that make them, but for those whose tick has a run, or whose subject an unfinished one has.
/// Answers the ids of those added.
pub(super) async fn insert(
    tx: &mut PgConnection,
    new: &[&NewRun],
    now: Timestamp,
    operation: &'static str,
) -> Result<BTreeSet<RunId>, Error> {
    let runs: Vec<Run> = new.iter().map(|new| stored(&new.run)).collect();
    let rows: Vec<Value> = runs.iter().map(columns).collect();
    let insert = "/* insert */ INSERT INTO runs (id, version, kind, task, subject, trigger, priority, app, subscription,
            policy, tick, plan, storage, account, policy_snapshot, created_at, state, state_json, failure_counts, outcome, cause, due_at, ended_at, lane)
        SELECT id, 1, kind, task, subject, trigger, priority, app, subscription, policy, tick, plan, storage, account, policy_snapshot,
            created_at, state, state_json, failure_counts, outcome, cause, due_at, ended_at, lane
        FROM json_to_recordset($1::json) AS run (id uuid, kind text, task text, subject text, trigger text, priority bigint, app text,
            subscription text, policy text, tick timestamptz, plan text, storage text, account text, policy_snapshot text,
            created_at timestamptz, state text, state_json text, failure_counts text, outcome text, cause text,
            due_at timestamptz, ended_at timestamptz, lane text)
        ON CONFLICT DO NOTHING
        RETURNING id";
    let added: Vec<Uuid> =
        sqlx::query_scalar(insert).bind(json(&rows)).fetch_all(&mut *tx).await.during(operation)?;
    let added: Result<BTreeSet<RunId>, Error> = added.into_iter().map(|id| run_id(id, operation)).collect();
    let added = added?;
    let left_out = runs.iter().map(|run| run.id).filter(|id| !added.contains(id)).collect();
    none_is_there(tx, left_out, operation).await?;
    let made = || runs.iter().zip(new).filter(|(run, _)| added.contains(&run.id));
    let changes =
        made().flat_map(|(run, new)| changes(None, run, std::slice::from_ref(&new.event), now)).collect();
    catalog::change(tx, changes, operation).await?;
    let events: Vec<_> = made().map(|(run, new)| (run, &new.event)).collect();
    audit::append(tx, &events, now, operation).await?;
    Ok(added)
}

/// Runs are left out for their tick or their subject; for their id they are an error.
async fn none_is_there(
    tx: &mut PgConnection,
    left_out: Vec<RunId>,
    operation: &'static str,
) -> Result<(), Error> {
    if left_out.is_empty() {
        return Ok(());
    }
    let left_out: Vec<Uuid> = left_out.into_iter().map(RunId::as_uuid).collect();
    let there = "/* none_is_there */ SELECT id FROM runs WHERE id = ANY ($1) LIMIT 1";
    let there: Option<Uuid> =
        sqlx::query_scalar(there).bind(left_out).fetch_optional(tx).await.during(operation)?;
    match there {
        None => Ok(()),
        Some(id) => Err(Error::Inconsistent { operation, what: format!("run {id} is there already") }),
    }
}

/// What a new run's columns hold.
fn columns(run: &Run) -> Value {
    let ending = Ending::of(&run.state);
    object!({
        "id": run.id.to_string(),
        "kind": run.task.kind().as_str(),
        "task": json(&run.task),
        "subject": run.task.subject(),
        "trigger": word(&run.trigger),
        "priority": run.priority.rank(),
        "app": run.app.to_string(),
        "subscription": run.app.subscription().as_str(),
        "policy": run.policy.as_ref().map(PolicyName::as_str),
        "tick": run.tick.map(text),
        "plan": run.plan,
        "storage": run.policy_snapshot.storage.as_str(),
        "account": run.policy_snapshot.account,
        "policy_snapshot": json(&run.policy_snapshot),
        "created_at": text(run.created_at),
        "state": run.state.code().as_str(),
        "state_json": json(&run.state),
        "failure_counts": json(&run.failure_counts),
        "outcome": ending.outcome.map(Outcome::as_str),
        "cause": ending.cause.map(Cause::as_str),
        "due_at": text(run.due_at),
        "ended_at": run.ended_at.map(text),
        "lane": run.lane().map(|lane| lane.to_string()),
    })
}

pub(super) async fn add(tx: &mut PgConnection, new: &NewRun, time: &Time) -> Result<(), Error> {
    let now = time.now(tx, ADD).await?;
    let added = insert(tx, &[new], now, ADD).await?;
    if added.is_empty() { Err(not_added(ADD, &new.run)) } else { Ok(()) }
}

/// Adds many at once. Two that added the same in different orders would wait for each other, so one goes at a time.
pub(super) async fn add_all(tx: &mut PgConnection, new: &[NewRun], time: &Time) -> Result<u64, Error> {
    cursors::lock(tx, ADD_ALL).await?;
    let now = time.now(tx, ADD_ALL).await?;
    let new: Vec<&NewRun> = new.iter().collect();
    Ok(insert(tx, &new, now, ADD_ALL).await?.len() as u64)
}

/// Writes a change over the row it was decided on. The row decides: between the reading and the writing another may
/// have been faster.
pub(super) async fn commit(tx: &mut PgConnection, change: &Change) -> Result<Committed, Error> {
    let current = |old: &Run| old.version == change.from && !old.state.is_ended();
    let Some(old) = read(tx, change.run.id).await?.filter(current) else {
        return Ok(Committed::Stale);
    };
    let run = changed(&old, &change.run);
    if let Some(intent) = Intent::of(&run, &change.events)
        && intents::is_hindered(tx, &run, intent).await?
    {
        return Ok(Committed::Stale);
    }
    if !update(tx, &run, change.from).await? {
        return Ok(Committed::Stale);
    }
    let changes = changes(Some(&old.state), &run, &change.events, change.at);
    catalog::change(tx, changes, COMMIT).await?;
    let events: Vec<_> = change.events.iter().map(|event| (&run, event)).collect();
    audit::append(tx, &events, change.at, COMMIT).await?;
    Ok(Committed::Done(run.version))
}

/// Writes what a change may change; false where the row is no longer in that version.
async fn update(tx: &mut PgConnection, run: &Run, from: i64) -> Result<bool, Error> {
    let ending = Ending::of(&run.state);
    let update = "/* update */ UPDATE runs SET version = version + 1, state = $1, state_json = $2, failure_counts = $3,
            attempt = coalesce($4, attempt), outcome = $5, cause = $6, backup_id = $7, backup_blob = $8,
            size_bytes = $9, accepted_at = $10, finished_at = $11, verification = $12, due_at = $13, ended_at = $14,
            lane = $15, occupies_app = $16, leased_until = NULL
        WHERE id = $17 AND version = $18 AND state <> 'ended'";
    let written = sqlx::query(update)
        .bind(run.state.code().as_str())
        .bind(json(&run.state))
        .bind(json(&run.failure_counts))
        .bind(attempt(&run.state).map(i64::from))
        .bind(ending.outcome.map(Outcome::as_str))
        .bind(ending.cause.map(Cause::as_str))
        .bind(ending.backup.map(|backup| backup.id.0))
        .bind(ending.backup.map(|backup| without_nul(&backup.blob)))
        .bind(ending.backup.map(|backup| backup.size_bytes))
        .bind(accepted_at(&run.state).map(stamp))
        .bind(ending.backup.and_then(|backup| backup.finished_at).map(stamp))
        .bind(ending.verification.as_ref().map(word))
        .bind(run.due_at)
        .bind(run.ended_at)
        .bind(run.lane().map(|lane| lane.to_string()))
        .bind(run.occupies_app())
        .bind(run.id.as_uuid())
        .bind(from)
        .execute(tx)
        .await;
    if let Err(sqlx::Error::Database(error)) = &written
        && error.is_unique_violation()
    {
        let what = format!("the app of run {} is held by another run", run.id);
        return Err(Error::Inconsistent { operation: COMMIT, what });
    }
    Ok(written.during(COMMIT)?.rows_affected() > 0)
}

#[derive(Debug, FromRow)]
struct LoadRow {
    #[sqlx(flatten)]
    run: RunRow,
    now: Timestamp,
    good_state: Option<String>,
    good_ended_at: Option<Timestamp>,
}

pub(super) async fn load(
    connection: &mut PgConnection,
    id: RunId,
    time: &Time,
) -> Result<Option<Loaded>, Error> {
    // The last good backup is looked for only where the run is for another; its outcomes are named twice: the first term
    // is the index's own.
    let load = "/* load */ SELECT run.id, run.version, run.task, run.trigger, run.priority, run.app, run.policy, run.tick,
            run.plan, run.policy_snapshot, run.state_json, run.failure_counts, run.created_at, run.due_at, run.ended_at,
            clock_timestamp() AS now, good.state_json AS good_state, good.ended_at AS good_ended_at
        FROM runs AS run LEFT JOIN LATERAL (
            SELECT state_json, ended_at FROM runs
            WHERE run.kind = 'backup' AND app = run.app AND outcome IN ('succeeded', 'partial') AND outcome = 'succeeded' AND kind = 'backup'
              AND accepted_at IS NOT NULL
            ORDER BY accepted_at DESC, id DESC LIMIT 1
        ) AS good ON true
        WHERE run.id = $1";
    let row: Option<LoadRow> =
        sqlx::query_as(load).bind(id.as_uuid()).fetch_optional(&mut *connection).await.during(LOAD)?;
    let Some(row) = row else { return Ok(None) };
    let run = row.run.read(LOAD)?;
    let subject = match run.task.backup(&run.app) {
        Some(backup) => catalog::one(&mut *connection, backup, LOAD).await?,
        None => None,
    };
    let is_last = match &run.task {
        Task::Delete(delete) => intents::is_last(connection, (&run.app, delete.backup), LOAD).await?,
        _ => false,
    };
    let now = time.told(row.now);
    let mut loaded = Loaded { run, now, typical: None, last_good_bytes: None, subject, is_last };
    if let Some(state) = row.good_state {
        let reading = Reading { operation: LOAD, of: format!("the last good run before {id}") };
        let state: RunState = reading.json("state_json", &state)?;
        let backup = Ending::of(&state).backup;
        loaded.typical = backup.and_then(|backup| took(backup, row.good_ended_at));
        loaded.last_good_bytes = backup.map(|backup| backup.size_bytes);
    }
    Ok(Some(loaded))
}

async fn read(connection: &mut PgConnection, id: RunId) -> Result<Option<Run>, Error> {
    let read =
        "/* read */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
            failure_counts, created_at, due_at, ended_at
        FROM runs WHERE id = $1";
    let row: Option<RunRow> =
        sqlx::query_as(read).bind(id.as_uuid()).fetch_optional(connection).await.during(COMMIT)?;
    row.map(|row| row.read(COMMIT)).transpose()
}
