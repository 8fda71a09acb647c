//! Between the model's types and the columns' texts.

use holdfast_model::{Run, Timestamp, format_timestamp};
use sqlx::FromRow;

use crate::Error;
use crate::columns::stamp;
pub(super) use crate::reading::Reading;

/// An instant as a column holds it.
pub(super) fn text(at: Timestamp) -> String {
    format_timestamp(stamp(at))
}

/// The columns of `runs` that make a [`Run`].
#[derive(Debug, FromRow)]
pub(super) struct RunRow {
    pub id: String,
    version: i64,
    task: String,
    trigger: String,
    priority: i64,
    app: String,
    policy: Option<String>,
    tick: Option<String>,
    plan: String,
    policy_snapshot: String,
    state_json: String,
    failure_counts: String,
    created_at: String,
    due_at: String,
    ended_at: Option<String>,
}

impl RunRow {
    pub fn read(self, operation: &'static str) -> Result<Run, Error> {
        let reading = Reading { operation, of: self.id };
        Ok(Run {
            id: reading.parse("id", &reading.of)?,
            version: self.version,
            task: reading.json("task", &self.task)?,
            trigger: reading.word("trigger", &self.trigger)?,
            priority: reading.priority(self.priority)?,
            app: reading.parse("app", &self.app)?,
            policy: self.policy.map(holdfast_model::PolicyName::new),
            tick: reading.maybe_time("tick", self.tick.as_deref())?,
            plan: self.plan,
            policy_snapshot: reading.json("policy_snapshot", &self.policy_snapshot)?,
            state: reading.json("state_json", &self.state_json)?,
            failure_counts: reading.json("failure_counts", &self.failure_counts)?,
            created_at: reading.time("created_at", &self.created_at)?,
            due_at: reading.time("due_at", &self.due_at)?,
            ended_at: reading.maybe_time("ended_at", self.ended_at.as_deref())?,
        })
    }
}
