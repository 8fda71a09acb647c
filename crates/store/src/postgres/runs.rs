//! The runs: added, changed against the version they were read in, and read.

use std::collections::BTreeSet;

use holdfast_model::{Cause, NewRun, Outcome, PolicyName, Run, RunId, RunState, StateCode, Timestamp};
use serde_json::{Value, json as object};
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::audit;
use super::row::{Reading, RunRow, run_id, text, without_nul};
use super::session::During;
use super::time::Time;
use crate::columns::{Ending, accepted_at, attempt, changed, json, stamp, stored, took, word};
use crate::{Change, Committed, Error, Loaded, RunFilter};

pub(super) const ADD: &str = "add a run";
pub(super) const COMMIT: &str = "commit a change of a run";
pub(super) const LOAD: &str = "load a run";
pub(super) const LIST: &str = "list runs";

/// Adds runs with the events that make them, but for those whose tick has a run. Answers the ids of those added.
pub(super) async fn insert(
    tx: &mut PgConnection,
    new: &[&NewRun],
    now: Timestamp,
    operation: &'static str,
) -> Result<BTreeSet<RunId>, Error> {
    let runs: Vec<Run> = new.iter().map(|new| stored(&new.run)).collect();
    let rows: Vec<Value> = runs.iter().map(columns).collect();
    let insert = "/* insert */ INSERT INTO runs (id, version, kind, trigger, priority, app, subscription, policy, tick,
            plan, storage, account, terms, created_at, state, state_json, tally, outcome, cause, due_at, ended_at, lane)
        SELECT id, 1, kind, trigger, priority, app, subscription, policy, tick, plan, storage, account, terms,
            created_at, state, state_json, tally, outcome, cause, due_at, ended_at, lane
        FROM json_to_recordset($1::json) AS run (id uuid, kind text, trigger text, priority bigint, app text,
            subscription text, policy text, tick timestamptz, plan text, storage text, account text, terms text,
            created_at timestamptz, state text, state_json text, tally text, outcome text, cause text,
            due_at timestamptz, ended_at timestamptz, lane text)
        ON CONFLICT (policy, app, tick) WHERE policy IS NOT NULL AND tick IS NOT NULL DO NOTHING
        RETURNING id";
    let added: Vec<Uuid> =
        sqlx::query_scalar(insert).bind(json(&rows)).fetch_all(&mut *tx).await.during(operation)?;
    let added: Result<BTreeSet<RunId>, Error> = added.into_iter().map(|id| run_id(id, operation)).collect();
    let added = added?;
    let events = runs.iter().zip(new).filter(|(run, _)| added.contains(&run.id));
    let events: Vec<_> = events.map(|(run, new)| (run, &new.event)).collect();
    audit::append(tx, &events, now, operation).await?;
    Ok(added)
}

/// What a new run's columns hold.
fn columns(run: &Run) -> Value {
    let ending = Ending::of(&run.state);
    object!({
        "id": run.id.to_string(),
        "kind": run.task.kind().as_str(),
        "trigger": word(&run.trigger),
        "priority": run.priority.rank(),
        "app": run.app.to_string(),
        "subscription": run.app.subscription().as_str(),
        "policy": run.policy.as_ref().map(PolicyName::as_str),
        "tick": run.tick.map(text),
        "plan": run.plan,
        "storage": run.terms.storage.as_str(),
        "account": run.terms.account,
        "terms": json(&run.terms),
        "created_at": text(run.created_at),
        "state": run.state.code().as_str(),
        "state_json": json(&run.state),
        "tally": json(&run.tally),
        "outcome": ending.outcome.map(Outcome::as_str),
        "cause": ending.cause.map(Cause::as_str),
        "due_at": text(run.due_at),
        "ended_at": run.ended_at.map(text),
        "lane": run.lane().map(|lane| lane.to_string()),
    })
}

pub(super) async fn add(tx: &mut PgConnection, new: &NewRun, time: &Time) -> Result<(), Error> {
    let now = time.now(tx, ADD).await?;
    if insert(tx, &[new], now, ADD).await?.is_empty() {
        let what = format!("the tick of run {} has a run", new.run.id);
        return Err(Error::Inconsistent { operation: ADD, what });
    }
    Ok(())
}

/// Writes a change over the row it was decided on. The row decides: between the reading and the writing another may
/// have been faster.
pub(super) async fn commit(tx: &mut PgConnection, change: &Change) -> Result<Committed, Error> {
    let current = |old: &Run| old.version == change.from && !old.state.is_ended();
    let Some(old) = read(tx, change.run.id).await?.filter(current) else {
        return Ok(Committed::Stale);
    };
    let run = changed(&old, &change.run);
    if !update(tx, &run, change.from).await? {
        return Ok(Committed::Stale);
    }
    let events: Vec<_> = change.events.iter().map(|event| (&run, event)).collect();
    audit::append(tx, &events, change.at, COMMIT).await?;
    Ok(Committed::Done(run.version))
}

/// Writes what a change may change; false where the row is no longer in that version.
async fn update(tx: &mut PgConnection, run: &Run, from: i64) -> Result<bool, Error> {
    let ending = Ending::of(&run.state);
    let update = "/* update */ UPDATE runs SET version = version + 1, state = $1, state_json = $2, tally = $3,
            attempt = coalesce($4, attempt), outcome = $5, cause = $6, backup_id = $7, backup_blob = $8,
            size_bytes = $9, accepted_at = $10, finished_at = $11, verification = $12, due_at = $13, ended_at = $14,
            lane = $15, holds = $16, leased_until = NULL
        WHERE id = $17 AND version = $18 AND state <> 'ended'";
    let written = sqlx::query(update)
        .bind(run.state.code().as_str())
        .bind(json(&run.state))
        .bind(json(&run.tally))
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
        .bind(run.holds())
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
    // The outcomes are named twice: the first term is the index's own.
    let load = "/* load */ SELECT run.id, run.version, run.kind, run.trigger, run.priority, run.app, run.policy, run.tick,
            run.plan, run.terms, run.state_json, run.tally, run.created_at, run.due_at, run.ended_at,
            clock_timestamp() AS now, good.state_json AS good_state, good.ended_at AS good_ended_at
        FROM runs AS run LEFT JOIN LATERAL (
            SELECT state_json, ended_at FROM runs
            WHERE app = run.app AND outcome IN ('succeeded', 'partial') AND outcome = 'succeeded'
              AND accepted_at IS NOT NULL
            ORDER BY accepted_at DESC, id DESC LIMIT 1
        ) AS good ON true
        WHERE run.id = $1";
    let row: Option<LoadRow> =
        sqlx::query_as(load).bind(id.as_uuid()).fetch_optional(connection).await.during(LOAD)?;
    let Some(row) = row else { return Ok(None) };
    let run = row.run.read(LOAD)?;
    let mut loaded = Loaded {
        run,
        now: time.told(row.now),
        typical: None,
        last_good_bytes: None,
        subject: None,
        last_good: None,
    };
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
        "/* read */ SELECT id, version, kind, trigger, priority, app, policy, tick, plan, terms, state_json,
            tally, created_at, due_at, ended_at
        FROM runs WHERE id = $1";
    let row: Option<RunRow> =
        sqlx::query_as(read).bind(id.as_uuid()).fetch_optional(connection).await.during(COMMIT)?;
    row.map(|row| row.read(COMMIT)).transpose()
}

pub(super) async fn list(connection: &mut PgConnection, filter: &RunFilter) -> Result<Vec<Run>, Error> {
    let of_all =
        "/* list */ SELECT id, version, kind, trigger, priority, app, policy, tick, plan, terms, state_json,
            tally, created_at, due_at, ended_at
        FROM runs WHERE $1::text IS NULL AND ($2::text IS NULL OR state = $2)
        ORDER BY created_at DESC, id DESC LIMIT $3";
    let of_app =
        "/* list */ SELECT id, version, kind, trigger, priority, app, policy, tick, plan, terms, state_json,
            tally, created_at, due_at, ended_at
        FROM runs WHERE app = $1 AND ($2::text IS NULL OR state = $2)
        ORDER BY created_at DESC, id DESC LIMIT $3";
    let rows: Vec<RunRow> = sqlx::query_as(if filter.app.is_some() { of_app } else { of_all })
        .bind(filter.app.as_ref().map(ToString::to_string))
        .bind(filter.state.map(StateCode::as_str))
        .bind((filter.most > 0).then_some(i64::from(filter.most)))
        .fetch_all(connection)
        .await
        .during(LIST)?;
    rows.into_iter().map(|row| row.read(LIST)).collect()
}
