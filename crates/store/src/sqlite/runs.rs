//! The runs: added, changed against the version they were read in, and read.

use std::collections::BTreeSet;

use holdfast_model::{Cause, NewRun, Outcome, PolicyName, Run, RunId, RunState, Task, Timestamp};
use serde_json::{Value, json as object};
use sqlx::SqliteConnection;

use super::driver::During;
use super::row::{Reading, RunRow, text};
use super::{audit, catalog, intents};
use crate::catalog::changes;
use crate::columns::{Ending, accepted_at, attempt, changed, json, not_added, stored, took, word};
use crate::intent::Intent;
use crate::{Change, Committed, Error, Loaded};

pub(super) const ADD: &str = "add a run";
pub(super) const ADD_ALL: &str = "add runs";
pub(super) const COMMIT: &str = "commit a change of a run";
pub(super) const LOAD: &str = "load a run";

/// Adds runs with the events that make them, but for those whose tick has a run, or whose subject an unfinished one has.
/// Answers the ids of those added.
pub(super) async fn insert(
    tx: &mut SqliteConnection,
    new: &[&NewRun],
    now: Timestamp,
    operation: &'static str,
) -> Result<BTreeSet<String>, Error> {
    let runs: Vec<Run> = new.iter().map(|new| stored(&new.run)).collect();
    let rows: Vec<Value> = runs.iter().map(columns).collect();
    let insert = "/* insert */ INSERT INTO runs (id, version, kind, task, subject, trigger, priority, app, subscription,
            policy, tick, plan, storage, account, policy_snapshot, created_at, state, state_json, failure_counts, outcome, cause, due_at, ended_at, lane)
        SELECT value ->> '$.id', 1, value ->> '$.kind', value ->> '$.task', value ->> '$.subject',
            value ->> '$.trigger', value ->> '$.priority',
            value ->> '$.app', value ->> '$.subscription', value ->> '$.policy', value ->> '$.tick',
            value ->> '$.plan', value ->> '$.storage', value ->> '$.account', value ->> '$.policy_snapshot',
            value ->> '$.created_at', value ->> '$.state', value ->> '$.state_json', value ->> '$.failure_counts',
            value ->> '$.outcome', value ->> '$.cause', value ->> '$.due_at', value ->> '$.ended_at',
            value ->> '$.lane'
        FROM json_each(?) WHERE true
        ON CONFLICT (policy, app, tick) WHERE policy IS NOT NULL AND tick IS NOT NULL DO NOTHING
        ON CONFLICT (app, subject) WHERE subject IS NOT NULL AND state <> 'ended' DO NOTHING
        RETURNING id";
    let added: Vec<String> =
        sqlx::query_scalar(insert).bind(json(&rows)).fetch_all(&mut *tx).await.during(operation)?;
    let added: BTreeSet<String> = added.into_iter().collect();
    let made = || runs.iter().zip(new).filter(|(run, _)| added.contains(&run.id.to_string()));
    let changes =
        made().flat_map(|(run, new)| changes(None, run, std::slice::from_ref(&new.event), now)).collect();
    catalog::change(tx, changes, operation).await?;
    audit::append(tx, made().map(|(run, new)| (run, &new.event)), now, operation).await?;
    Ok(added)
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

pub(super) async fn add(tx: &mut SqliteConnection, new: &NewRun, now: Timestamp) -> Result<(), Error> {
    let added = insert(tx, &[new], now, ADD).await?;
    if added.is_empty() { Err(not_added(ADD, &new.run)) } else { Ok(()) }
}

pub(super) async fn add_all(tx: &mut SqliteConnection, new: &[NewRun], now: Timestamp) -> Result<u64, Error> {
    let new: Vec<&NewRun> = new.iter().collect();
    Ok(insert(tx, &new, now, ADD_ALL).await?.len() as u64)
}

/// Writes a change over the row it was decided on.
pub(super) async fn commit(tx: &mut SqliteConnection, change: &Change) -> Result<Committed, Error> {
    let current = |old: &Run| old.version == change.from && !old.state.is_ended();
    let Some(old) = read(tx, change.run.id, COMMIT).await?.filter(current) else {
        return Ok(Committed::Stale);
    };
    let run = changed(&old, &change.run);
    if let Some(intent) = Intent::of(&run, &change.events)
        && intents::is_hindered(tx, &run, intent).await?
    {
        return Ok(Committed::Stale);
    }
    let ending = Ending::of(&run.state);
    let update = "/* commit */ UPDATE runs SET version = version + 1, state = ?, state_json = ?, failure_counts = ?,
            attempt = coalesce(?, attempt), outcome = ?, cause = ?, backup_id = ?, backup_blob = ?, size_bytes = ?,
            accepted_at = ?, finished_at = ?, verification = ?, due_at = ?, ended_at = ?, lane = ?, occupies_app = ?,
            leased_until = NULL
        WHERE id = ? AND version = ?";
    let written = sqlx::query(update)
        .bind(run.state.code().as_str())
        .bind(json(&run.state))
        .bind(json(&run.failure_counts))
        .bind(attempt(&run.state))
        .bind(ending.outcome.map(Outcome::as_str))
        .bind(ending.cause.map(Cause::as_str))
        .bind(ending.backup.map(|backup| backup.id.0))
        .bind(ending.backup.map(|backup| backup.blob.as_str()))
        .bind(ending.backup.map(|backup| backup.size_bytes))
        .bind(accepted_at(&run.state).map(text))
        .bind(ending.backup.and_then(|backup| backup.finished_at).map(text))
        .bind(ending.verification.as_ref().map(word))
        .bind(text(run.due_at))
        .bind(run.ended_at.map(text))
        .bind(run.lane().map(|lane| lane.to_string()))
        .bind(run.occupies_app())
        .bind(run.id.to_string())
        .bind(change.from)
        .execute(&mut *tx)
        .await;
    if let Err(sqlx::Error::Database(error)) = &written
        && error.is_unique_violation()
    {
        let what = format!("the app of run {} is held by another run", run.id);
        return Err(Error::Inconsistent { operation: COMMIT, what });
    }
    written.during(COMMIT)?;
    let changes = changes(Some(&old.state), &run, &change.events, change.at);
    catalog::change(tx, changes, COMMIT).await?;
    audit::append(tx, change.events.iter().map(|event| (&run, event)), change.at, COMMIT).await?;
    Ok(Committed::Done(run.version))
}

pub(super) async fn load(
    connection: &mut SqliteConnection,
    id: RunId,
    now: Timestamp,
) -> Result<Option<Loaded>, Error> {
    let Some(run) = read(connection, id, LOAD).await? else { return Ok(None) };
    let subject = match run.task.backup(&run.app) {
        Some(backup) => catalog::one(connection, backup, LOAD).await?,
        None => None,
    };
    let mut loaded = Loaded { now, typical: None, last_good_bytes: None, subject, is_last: false, run };
    match &loaded.run.task {
        Task::Backup { .. } => tell_of_the_last(connection, &mut loaded).await?,
        Task::Delete(delete) => {
            let backup = (&loaded.run.app, delete.backup);
            loaded.is_last = intents::is_last(connection, backup, LOAD).await?;
        }
        _ => {}
    }
    Ok(Some(loaded))
}

/// How long the app's last good backup took, and how large it is.
async fn tell_of_the_last(connection: &mut SqliteConnection, loaded: &mut Loaded) -> Result<(), Error> {
    // The outcomes are named twice: the first term is the index's own, which SQLite compares as text.
    let last = "/* load */ SELECT state_json, ended_at FROM runs
        WHERE app = ? AND outcome IN ('succeeded', 'partial') AND outcome = 'succeeded' AND kind = 'backup' AND accepted_at IS NOT NULL
        ORDER BY accepted_at DESC, id DESC LIMIT 1";
    let last: Option<(String, Option<String>)> = sqlx::query_as(last)
        .bind(loaded.run.app.to_string())
        .fetch_optional(connection)
        .await
        .during(LOAD)?;
    let Some((state, ended_at)) = last else { return Ok(()) };
    let reading = Reading { operation: LOAD, of: format!("the last good run before {}", loaded.run.id) };
    let state: RunState = reading.json("state_json", &state)?;
    let ended_at = reading.maybe_time("ended_at", ended_at.as_deref())?;
    let backup = Ending::of(&state).backup;
    loaded.typical = backup.and_then(|backup| took(backup, ended_at));
    loaded.last_good_bytes = backup.map(|backup| backup.size_bytes);
    Ok(())
}

async fn read(
    connection: &mut SqliteConnection,
    id: RunId,
    operation: &'static str,
) -> Result<Option<Run>, Error> {
    let read =
        "/* read */ SELECT id, version, task, trigger, priority, app, policy, tick, plan, policy_snapshot, state_json,
            failure_counts, created_at, due_at, ended_at
        FROM runs WHERE id = ?";
    let row: Option<RunRow> =
        sqlx::query_as(read).bind(id.to_string()).fetch_optional(connection).await.during(operation)?;
    row.map(|row| row.read(operation)).transpose()
}
