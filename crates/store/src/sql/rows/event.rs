//! Rows of `audit_events`.

use serde_json::{Value, json as object};

use crate::audit::{AuditEvent, Head};
use crate::chain::{ChainRow, Link};
use crate::error::Result;
use crate::sql::row::{FromRow, Row};

impl FromRow for Link {
    const TABLE: &'static str = "audit_events";
    const KEY: &'static [&'static str] = &["seq"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { seq: row.int("seq")?, previous: row.text("previous")?, hash: row.text("hash")? })
    }
}

impl FromRow for Head {
    const TABLE: &'static str = Link::TABLE;
    const KEY: &'static [&'static str] = Link::KEY;

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { link: Link::read(row)?, at: row.time("at")? })
    }
}

impl FromRow for ChainRow {
    const TABLE: &'static str = "audit_events";
    const KEY: &'static [&'static str] = &["seq"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            link: Link::read(row)?,
            at: row.time_text("at")?,
            run_id: row.id_text("run_id")?,
            app: row.text("app")?,
            data: row.text("data")?,
        })
    }
}

impl FromRow for AuditEvent {
    const TABLE: &'static str = "audit_events";
    const KEY: &'static [&'static str] = &["seq"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            link: Link::read(row)?,
            at: row.time("at")?,
            run_id: row.id("run_id")?,
            app: row.parse("app")?,
            event: row.json("data")?,
        })
    }
}

/// The columns of an event.
pub(crate) fn columns(row: &ChainRow) -> Value {
    let ChainRow { link, at, run_id, app, data } = row;
    object!({
        "seq": link.seq,
        "at": at,
        "run_id": run_id,
        "app": app,
        "data": data,
        "previous": link.previous,
        "hash": link.hash,
    })
}
