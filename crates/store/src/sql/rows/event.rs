//! Rows of `audit_events`.

use serde::{Deserialize, Serialize};

use crate::audit::{AuditEvent, ChainEnd, NewEvent, Placed};
use crate::chain::{ChainRow, Link};
use crate::columns::json;
use crate::error::Result;
use crate::sql::arg::time_text;
use crate::sql::row::{FromRow, Row};

fn link(row: &Row<'_>) -> Result<Link> {
    Ok(Link { seq: row.int("seq")?, previous: row.text("previous")?, hash: row.text("hash")? })
}

impl FromRow for ChainEnd {
    const TABLE: &'static str = "audit_events";
    const KEY: &'static [&'static str] = &["seq"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { link: link(row)?, at: row.time("at")?, database_role: row.text("database_role")? })
    }
}

impl FromRow for Placed {
    const TABLE: &'static str = "audit_events";
    const KEY: &'static [&'static str] = &["seq"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { seq: row.int("seq")?, at: row.time("at")? })
    }
}

impl FromRow for ChainRow {
    const TABLE: &'static str = "audit_events";
    const KEY: &'static [&'static str] = &["seq"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            link: link(row)?,
            at: row.time_text("at")?,
            run_id: row.id_text("run_id")?,
            app: row.text("app")?,
            data: row.text("data")?,
            database_role: row.text("database_role")?,
        })
    }
}

impl FromRow for AuditEvent {
    const TABLE: &'static str = "audit_events";
    const KEY: &'static [&'static str] = &["seq"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            link: link(row)?,
            at: row.time("at")?,
            run_id: row.id("run_id")?,
            app: row.parse("app")?,
            database_role: row.text("database_role")?,
            event: row.json("data")?,
        })
    }
}

/// What columns repeat of an event's data. A database that holds them compares them with the data.
#[derive(Debug, Default, Deserialize)]
struct Summary {
    event: Option<String>,
    attempt: Option<AttemptSummary>,
    number: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct AttemptSummary {
    number: Option<i64>,
}

/// The columns of an event.
#[derive(Debug, Serialize)]
pub(crate) struct EventColumns {
    at: String,
    run_id: String,
    app: String,
    event: Option<String>,
    attempt: Option<i64>,
    data: String,
}

/// The columns of an event with its place, without `database_role`: the database fills it itself.
#[derive(Debug, Serialize)]
pub(crate) struct LinkedColumns<'a> {
    seq: i64,
    at: &'a str,
    run_id: &'a str,
    app: &'a str,
    data: &'a str,
    previous: &'a str,
    hash: &'a str,
}

/// The columns of an event that the database links.
pub(crate) fn unlinked(new: &NewEvent<'_>) -> EventColumns {
    let data = json(new.event);
    let Summary { event, attempt, number } = serde_json::from_str(&data).unwrap_or_default();
    EventColumns {
        at: time_text(new.at),
        run_id: new.run.id.to_string(),
        app: new.run.app.to_string(),
        event,
        attempt: attempt.and_then(|attempt| attempt.number).or(number),
        data,
    }
}

/// The columns of a linked event.
pub(crate) fn linked(row: &ChainRow) -> LinkedColumns<'_> {
    let ChainRow { link: Link { seq, previous, hash }, at, run_id, app, data, database_role: _ } = row;
    LinkedColumns { seq: *seq, at, run_id, app, data, previous, hash }
}
