//! Rows of `runs`.

use holdfast_model::{
    BackupId, Cause, FailureCounts, Outcome, PolicyName, PolicySnapshot, Run, RunId, RunState, Task,
};
use serde::Serialize;

use crate::columns::{Ending, accepted_at, attempt, word};
use crate::error::Result;
use crate::rules::load::{baseline_at, is_unsettled};
use crate::sql::arg::time_text;
use crate::sql::row::{FromRow, Row};

impl FromRow for Run {
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.id("id")?,
            version: row.int("version")?,
            task: row.json("task")?,
            trigger: row.word("trigger")?,
            priority: row.priority("priority")?,
            app: row.parse("app")?,
            policy: row.maybe_text("policy")?.map(PolicyName::new),
            tick: row.maybe_time("tick")?,
            plan: row.text("plan")?,
            policy_snapshot: row.json("policy_snapshot")?,
            state: row.json("state_json")?,
            failure_counts: row.json("failure_counts")?,
            created_at: row.time("created_at")?,
            due_at: row.time("due_at")?,
            ended_at: row.maybe_time("ended_at")?,
        })
    }
}

/// A row of `runs` to be written, and its row of `unfinished_runs`.
pub(crate) trait RunColumns: Serialize + Send {
    /// The run.
    fn id(&self) -> RunId;

    /// Its row of `unfinished_runs`; `None` once it has ended.
    fn unfinished(&self) -> Option<UnfinishedColumns<'_>>;
}

/// The columns of a row of `unfinished_runs`.
#[derive(Debug, Serialize)]
pub(crate) struct UnfinishedColumns<'a> {
    id: RunId,
    lane: &'a str,
    due_at: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    new: Option<NewColumns<'a>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    moved: Option<MovedColumns>,
}

/// What never changes of a row of `unfinished_runs`.
#[derive(Debug, Serialize)]
struct NewColumns<'a> {
    app: &'a str,
    subscription: &'a str,
    plan: &'a str,
    account: &'a str,
    priority: i64,
}

/// What a step changes of a row of `unfinished_runs`.
#[derive(Debug, Serialize)]
struct MovedColumns {
    decided_on: i64,
    occupies_app: bool,
}

/// The columns of a new run. A column that holds JSON is a part of the row's JSON, so that it is not written as a text in a text.
#[derive(Debug, Serialize)]
pub(crate) struct InsertedColumns<'a> {
    id: RunId,
    kind: &'static str,
    task: &'a Task,
    subject: Option<String>,
    trigger: String,
    priority: i64,
    app: String,
    subscription: &'a str,
    policy: Option<&'a str>,
    tick: Option<String>,
    plan: &'a str,
    storage: &'a str,
    account: &'a str,
    policy_snapshot: &'a PolicySnapshot,
    created_at: String,
    state: &'static str,
    state_json: &'a RunState,
    failure_counts: &'a FailureCounts,
    outcome: Option<&'static str>,
    cause: Option<&'static str>,
    due_at: String,
    ended_at: Option<String>,
    lane: Option<String>,
}

/// The columns that a change of a run writes over version `decided_on`.
#[derive(Debug, Serialize)]
pub(crate) struct UpdatedColumns<'a> {
    id: RunId,
    decided_on: i64,
    state: &'static str,
    state_json: &'a RunState,
    failure_counts: &'a FailureCounts,
    attempt: Option<u32>,
    outcome: Option<&'static str>,
    cause: Option<&'static str>,
    backup_id: Option<BackupId>,
    backup_blob: Option<String>,
    size_bytes: Option<i64>,
    accepted_at: Option<String>,
    finished_at: Option<String>,
    verification: Option<String>,
    baseline_at: Option<String>,
    unsettled: bool,
    due_at: String,
    ended_at: Option<String>,
    lane: Option<String>,
    occupies_app: bool,
}

/// The columns of a new run.
pub(crate) fn inserted(run: &Run) -> InsertedColumns<'_> {
    let ending = Ending::of(&run.state);
    InsertedColumns {
        id: run.id,
        kind: run.task.kind().as_str(),
        task: &run.task,
        subject: run.task.subject(),
        trigger: word(&run.trigger),
        priority: run.priority.rank(),
        app: run.app.to_string(),
        subscription: run.app.subscription().as_str(),
        policy: run.policy.as_ref().map(PolicyName::as_str),
        tick: run.tick.map(time_text),
        plan: &run.plan,
        storage: run.policy_snapshot.storage.as_str(),
        account: &run.policy_snapshot.account,
        policy_snapshot: &run.policy_snapshot,
        created_at: time_text(run.created_at),
        state: run.state.code().as_str(),
        state_json: &run.state,
        failure_counts: &run.failure_counts,
        outcome: ending.outcome.map(Outcome::as_str),
        cause: ending.cause.map(Cause::as_str),
        due_at: time_text(run.due_at),
        ended_at: run.ended_at.map(time_text),
        lane: run.lane().map(|lane| lane.to_string()),
    }
}

/// The columns that a change of a run writes over version `from`.
pub(crate) fn updated(run: &Run, from: i64) -> UpdatedColumns<'_> {
    let ending = Ending::of(&run.state);
    let backup = ending.backup;
    UpdatedColumns {
        id: run.id,
        decided_on: from,
        state: run.state.code().as_str(),
        state_json: &run.state,
        failure_counts: &run.failure_counts,
        attempt: attempt(&run.state),
        outcome: ending.outcome.map(Outcome::as_str),
        cause: ending.cause.map(Cause::as_str),
        backup_id: backup.map(|backup| backup.id),
        backup_blob: backup.map(|backup| without_nul(&backup.blob)),
        size_bytes: backup.map(|backup| backup.size_bytes),
        accepted_at: accepted_at(&run.state).map(time_text),
        finished_at: backup.and_then(|backup| backup.finished_at).map(time_text),
        verification: ending.verification.as_ref().map(word),
        baseline_at: baseline_at(run).map(time_text),
        unsettled: is_unsettled(run),
        due_at: time_text(run.due_at),
        ended_at: run.ended_at.map(time_text),
        lane: run.lane().map(|lane| lane.to_string()),
        occupies_app: run.occupies_app(),
    }
}

impl RunColumns for InsertedColumns<'_> {
    fn id(&self) -> RunId {
        self.id
    }

    fn unfinished(&self) -> Option<UnfinishedColumns<'_>> {
        let Self { app, subscription, plan, account, priority, due_at, .. } = self;
        let new = NewColumns { app, subscription, plan, account, priority: *priority };
        let lane = self.lane.as_deref()?;
        Some(UnfinishedColumns { id: self.id, lane, due_at, new: Some(new), moved: None })
    }
}

impl RunColumns for UpdatedColumns<'_> {
    fn id(&self) -> RunId {
        self.id
    }

    fn unfinished(&self) -> Option<UnfinishedColumns<'_>> {
        let Self { decided_on, occupies_app, due_at, .. } = self;
        let moved = MovedColumns { decided_on: *decided_on, occupies_app: *occupies_app };
        let lane = self.lane.as_deref()?;
        Some(UnfinishedColumns { id: self.id, lane, due_at, new: None, moved: Some(moved) })
    }
}

/// Text from outside as a column can hold it: PostgreSQL has no NUL in texts.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
