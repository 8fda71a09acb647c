//! From what columns hold to the model's types; what cannot be read is told by row and column.

use std::fmt::Display;
use std::str::FromStr;

use holdfast_model::{Priority, Timestamp, parse_timestamp};
use serde::de::DeserializeOwned;

use crate::columns::from_word;
use crate::{Error, Running};

/// Reads the columns of one row; what cannot be read is named with the row and the column.
#[derive(Debug)]
pub(crate) struct Reading {
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

    /// The kind and the state of a run, as `backup polling`.
    pub fn running(&self, text: &str) -> Result<Running, Error> {
        let (kind, state) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Running { kind: self.word("kind", kind)?, state: self.word("state", state)? })
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
