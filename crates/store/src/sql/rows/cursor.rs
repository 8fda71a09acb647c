//! Rows of `cursors`.

use holdfast_model::PolicyName;
use holdfast_model::schedule::PauseWindow;
use serde_json::{Value, json as object};

use crate::error::Result;
use crate::fleet::{Cursor, CursorAdvance};
use crate::sql::arg::time_text;
use crate::sql::row::{FromRow, Row};

impl FromRow for Cursor {
    const TABLE: &'static str = "cursors";
    const KEY: &'static [&'static str] = &["app"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            app: row.parse("app")?,
            policy: PolicyName::new(row.text("policy")?),
            fingerprint: row.text("fingerprint")?,
            through: row.time("through")?,
            next_at: row.time("next_at")?,
            unfinished: row.count("unfinished")?,
            pause: pause(row)?,
        })
    }
}

fn pause(row: &Row<'_>) -> Result<Option<PauseWindow>> {
    let (since, until) = (row.maybe_time("paused_since")?, row.maybe_time("paused_until")?);
    Ok(since.zip(until).map(|(since, until)| PauseWindow { since, until }))
}

/// The columns of a cursor.
pub(crate) fn columns(cursor: &Cursor) -> Value {
    object!({
        "app": cursor.app.to_string(),
        "policy": cursor.policy.as_str(),
        "fingerprint": cursor.fingerprint,
        "through": time_text(cursor.through),
        "next_at": time_text(cursor.next_at),
    })
}

/// A move: the cursor as it was read, and the columns to write.
pub(crate) fn advanced(plan: &CursorAdvance) -> Value {
    let CursorAdvance { cursor, through, next_at, .. } = plan;
    object!({
        "app": cursor.app.to_string(),
        "policy": cursor.policy.as_str(),
        "fingerprint": cursor.fingerprint,
        "decided_on": time_text(cursor.through),
        "through": time_text(*through),
        "next_at": next_at.map(time_text),
    })
}
