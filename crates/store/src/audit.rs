//! Audit events, and the rows of the chain that they make.

use holdfast_model::{AppId, Run, RunEvent, RunId, Timestamp, format_timestamp};
use serde::Serialize;

use crate::chain::{ChainRow, Content, Link};
use crate::columns::{json, stamp};

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    /// Its place in the chain, and the hash of the event before.
    #[serde(flatten)]
    pub link: Link,
    /// When it happened.
    pub at: Timestamp,
    /// The run.
    pub run_id: RunId,
    /// The app.
    pub app: AppId,
    /// The login that wrote the row, as the database server names it; empty in a store without logins.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub database_role: String,
    /// The event.
    #[serde(flatten)]
    pub event: RunEvent,
}

impl ChainRow {
    /// The row of an event, for a store that keeps no texts.
    pub fn of(event: &AuditEvent) -> Self {
        Self {
            link: event.link.clone(),
            at: format_timestamp(event.at),
            run_id: event.run_id.to_string(),
            app: event.app.to_string(),
            data: json(&event.event),
            database_role: event.database_role.clone(),
        }
    }
}

/// An event on its way into the audit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewEvent<'a> {
    pub run: &'a Run,
    pub event: &'a RunEvent,
    pub at: Timestamp,
}

/// The end of the chain, and the login of whoever appends to it.
#[derive(Debug, Clone)]
pub(crate) struct ChainEnd {
    pub link: Link,
    pub database_role: String,
}

impl ChainEnd {
    /// The end of an empty chain in a store without logins.
    pub(crate) fn origin() -> Self {
        Self { link: Link::origin(), database_role: String::new() }
    }
}

/// The rows of `events`, each bound to the one before, the first to `end`.
pub(crate) fn chain_rows(end: ChainEnd, events: &[NewEvent<'_>]) -> Vec<ChainRow> {
    let ChainEnd { link: mut last, database_role } = end;
    let row = |new: &NewEvent<'_>| {
        let (run_id, app) = (new.run.id.to_string(), new.run.app.to_string());
        let (at, data) = (format_timestamp(stamp(new.at)), json(new.event));
        let database_role = database_role.clone();
        let (at_text, role) = (at.as_str(), database_role.as_str());
        last =
            last.then(&Content { at: at_text, run_id: &run_id, app: &app, data: &data, database_role: role });
        ChainRow { link: last.clone(), at, run_id, app, data, database_role }
    };
    events.iter().map(row).collect()
}
