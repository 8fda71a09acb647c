//! Between the model's types and the columns' texts.

use std::fmt::Display;
use std::str::FromStr;

use holdfast_model::{Priority, Run, Timestamp, format_timestamp, parse_timestamp};
use serde::de::DeserializeOwned;
use sqlx::FromRow;

use crate::Error;
use crate::columns::{from_word, stamp};

/// An instant as a column holds it.
pub(super) fn text(at: Timestamp) -> String {
    format_timestamp(stamp(at))
}

/// The columns of `runs` that make a [`Run`].
#[derive(Debug, FromRow)]
pub(super) struct RunRow {
    pub id: String,
    version: i64,
    kind: String,
    trigger: String,
    priority: i64,
    app: String,
    policy: Option<String>,
    tick: Option<String>,
    plan: String,
    terms: String,
    state_json: String,
    tally: String,
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
            kind: reading.word("kind", &self.kind)?,
            trigger: reading.word("trigger", &self.trigger)?,
            priority: reading.priority(self.priority)?,
            app: reading.parse("app", &self.app)?,
            policy: self.policy.map(holdfast_model::PolicyName::new),
            tick: reading.maybe_time("tick", self.tick.as_deref())?,
            plan: self.plan,
            terms: reading.json("terms", &self.terms)?,
            state: reading.json("state_json", &self.state_json)?,
            tally: reading.json("tally", &self.tally)?,
            created_at: reading.time("created_at", &self.created_at)?,
            due_at: reading.time("due_at", &self.due_at)?,
            ended_at: reading.maybe_time("ended_at", self.ended_at.as_deref())?,
        })
    }
}

/// Reads the columns of one row; what cannot be read is named with the row and the column.
#[derive(Debug)]
pub(super) struct Reading {
    pub operation: &'static str,
    /// Which row.
    pub of: String,
}

impl Reading {
    pub fn parse<T: FromStr<Err: Display>>(&self, column: &str, text: &str) -> Result<T, Error> {
        text.parse().map_err(|error| self.wrong(column, error))
    }

    pub fn json<T: DeserializeOwned>(&self, column: &str, text: &str) -> Result<T, Error> {
        serde_json::from_str(text).map_err(|error| self.wrong(column, error))
    }

    pub fn word<T: DeserializeOwned>(&self, column: &str, text: &str) -> Result<T, Error> {
        from_word(text).map_err(|error| self.wrong(column, error))
    }

    pub fn time(&self, column: &str, text: &str) -> Result<Timestamp, Error> {
        parse_timestamp(text).map_err(|error| self.wrong(column, error))
    }

    pub fn maybe_time(&self, column: &str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
        text.map(|text| self.time(column, text)).transpose()
    }

    pub fn priority(&self, rank: i64) -> Result<Priority, Error> {
        let priority = Priority::ALL.into_iter().find(|priority| priority.rank() == rank);
        priority.ok_or_else(|| self.wrong("priority", rank))
    }

    /// A count that was never negative when it was written.
    pub fn count<T: TryFrom<i64>>(&self, column: &str, count: i64) -> Result<T, Error> {
        T::try_from(count).map_err(|_| self.wrong(column, count))
    }

    fn wrong(&self, column: &str, what: impl Display) -> Error {
        let Self { operation, of } = self;
        Error::Inconsistent { operation, what: format!("{column} of {of}: {what}") }
    }
}
