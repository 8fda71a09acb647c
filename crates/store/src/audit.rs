//! Audit events, and the rows of the chain that they make.

use holdfast_model::{AppId, Run, RunEvent, RunId, Timestamp, format_timestamp};
use serde::Serialize;

use crate::chain::{ChainRow, Link};
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

/// The rows of `events`, each bound to the one before, the first to `last`.
pub(crate) fn chain_rows(last: Link, events: &[NewEvent<'_>]) -> Vec<ChainRow> {
    let mut last = last;
    let row = |new: &NewEvent<'_>| {
        let (run_id, app) = (new.run.id.to_string(), new.run.app.to_string());
        let (at, data) = (format_timestamp(stamp(new.at)), json(new.event));
        last = last.then(&at, &run_id, &app, &data);
        ChainRow { link: last.clone(), at, run_id, app, data }
    };
    events.iter().map(row).collect()
}
