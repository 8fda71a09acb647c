//! Between the model's types and the columns.

use holdfast_model::{Run, RunId, Timestamp};
use sqlx::FromRow;
use sqlx::types::Uuid;

use crate::Error;
use crate::columns::stamp;
pub(super) use crate::reading::Reading;

/// The columns of `runs` that make a [`Run`].
#[derive(Debug, FromRow)]
pub(super) struct RunRow {
    id: Uuid,
    version: i64,
    task: String,
    trigger: String,
    priority: i64,
    app: String,
    policy: Option<String>,
    tick: Option<Timestamp>,
    plan: String,
    policy_snapshot: String,
    state_json: String,
    failure_counts: String,
    created_at: Timestamp,
    due_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl RunRow {
    pub fn read(self, operation: &'static str) -> Result<Run, Error> {
        let reading = Reading { operation, of: self.id.to_string() };
        Ok(Run {
            id: reading.parse("id", &reading.of)?,
            version: self.version,
            task: reading.json("task", &self.task)?,
            trigger: reading.word("trigger", &self.trigger)?,
            priority: reading.priority(self.priority)?,
            app: reading.parse("app", &self.app)?,
            policy: self.policy.map(holdfast_model::PolicyName::new),
            tick: self.tick,
            plan: self.plan,
            policy_snapshot: reading.json("policy_snapshot", &self.policy_snapshot)?,
            state: reading.json("state_json", &self.state_json)?,
            failure_counts: reading.json("failure_counts", &self.failure_counts)?,
            created_at: self.created_at,
            due_at: self.due_at,
            ended_at: self.ended_at,
        })
    }
}

/// The run with this id.
pub(super) fn run_id(id: Uuid, operation: &'static str) -> Result<RunId, Error> {
    let reading = Reading { operation, of: id.to_string() };
    reading.parse("id", &reading.of)
}

/// An instant as JSON carries it into a statement.
pub(super) fn text(at: Timestamp) -> String {
    holdfast_model::format_timestamp(stamp(at))
}

/// Text that others wrote, as a column can hold it: PostgreSQL knows no NUL.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
