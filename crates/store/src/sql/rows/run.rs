//! Rows of `runs`.

use holdfast_model::{Cause, Outcome, PolicyName, Run};
use serde_json::{Value, json as object};

use crate::columns::{Ending, accepted_at, attempt, json, word};
use crate::error::Result;
use crate::rules::load::baseline_at;
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

/// The columns of a new run.
pub(crate) fn inserted(run: &Run) -> Value {
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
        "tick": run.tick.map(time_text),
        "plan": run.plan,
        "storage": run.policy_snapshot.storage.as_str(),
        "account": run.policy_snapshot.account,
        "policy_snapshot": json(&run.policy_snapshot),
        "created_at": time_text(run.created_at),
        "state": run.state.code().as_str(),
        "state_json": json(&run.state),
        "failure_counts": json(&run.failure_counts),
        "outcome": ending.outcome.map(Outcome::as_str),
        "cause": ending.cause.map(Cause::as_str),
        "due_at": time_text(run.due_at),
        "ended_at": run.ended_at.map(time_text),
        "lane": run.lane().map(|lane| lane.to_string()),
    })
}

/// The columns that a change of a run writes over version `from`.
pub(crate) fn updated(run: &Run, from: i64) -> Value {
    let ending = Ending::of(&run.state);
    let backup = ending.backup;
    object!({
        "id": run.id.to_string(),
        "decided_on": from,
        "state": run.state.code().as_str(),
        "state_json": json(&run.state),
        "failure_counts": json(&run.failure_counts),
        "attempt": attempt(&run.state),
        "outcome": ending.outcome.map(Outcome::as_str),
        "cause": ending.cause.map(Cause::as_str),
        "backup_id": backup.map(|backup| backup.id),
        "backup_blob": backup.map(|backup| without_nul(&backup.blob)),
        "size_bytes": backup.map(|backup| backup.size_bytes),
        "accepted_at": accepted_at(&run.state).map(time_text),
        "finished_at": backup.and_then(|backup| backup.finished_at).map(time_text),
        "verification": ending.verification.as_ref().map(word),
        "baseline_at": baseline_at(run).map(time_text),
        "due_at": time_text(run.due_at),
        "ended_at": run.ended_at.map(time_text),
        "lane": run.lane().map(|lane| lane.to_string()),
        "occupies_app": run.occupies_app(),
    })
}

/// Text from outside as a column can hold it: PostgreSQL has no NUL in texts.
pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
