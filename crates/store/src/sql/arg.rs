//! Arguments of statements.

use holdfast_model::{RunId, Timestamp, format_timestamp};
use serde::Serialize;

use crate::columns::{json, stamp};

/// An argument of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Int(i64),
    Bool(bool),
    Float(f64),
    Text(String),
    MaybeText(Option<String>),
    Time(Timestamp),
    MaybeTime(Option<Timestamp>),
    Id(RunId),
}

impl Arg {
    /// Rows as a JSON array, for a statement that reads many at once.
    pub fn json(rows: &[impl Serialize]) -> Self {
        Self::Text(json(&rows))
    }

    /// The greatest number of rows to return; 0 for all.
    pub fn most(most: u32) -> Self {
        Self::Int(if most == 0 { i64::MAX } else { i64::from(most) })
    }

    /// A value's text.
    pub fn text(value: &(impl ToString + ?Sized)) -> Self {
        Self::Text(value.to_string())
    }
}

/// An instant as JSON carries it into a statement.
pub(crate) fn time_text(at: Timestamp) -> String {
    format_timestamp(stamp(at))
}
