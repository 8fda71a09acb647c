//! Audit events, and the rows of the chain that they make.

use chrono::TimeDelta;
use holdfast_model::{AppId, Run, RunEvent, RunId, Timestamp, format_timestamp};
use serde::{Deserialize, Serialize};

use crate::chain::{ChainRow, Content, Link};
use crate::columns::{json, stamp};

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
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
    #[serde(default, skip_serializing_if = "String::is_empty")]
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

/// The end of the audit, and the login of whoever appends to it.
#[derive(Debug, Clone)]
pub(crate) struct ChainEnd {
    pub link: Link,
    /// The last event's time.
    pub at: Timestamp,
    pub database_role: String,
}

impl ChainEnd {
    /// The end of an empty chain in a store without logins.
    pub(crate) fn origin() -> Self {
        Self { link: Link::origin(), at: Timestamp::UNIX_EPOCH, database_role: String::new() }
    }
}

/// Where an event is in the audit, and its time there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub seq: i64,
    pub at: Timestamp,
}

/// The first whole millisecond that is not before `at`. Others may have written a finer time.
fn whole(at: Timestamp) -> Timestamp {
    let cut = stamp(at);
    if cut < at { stamp(cut + TimeDelta::milliseconds(1)) } else { cut }
}

/// The places of `events` after `end`. A clock that was set back dates no event before the last one.
pub(crate) fn places(end: &ChainEnd, events: &[NewEvent<'_>]) -> Vec<Placed> {
    let mut last = Placed { seq: end.link.seq, at: whole(end.at) };
    let mut place = |new: &NewEvent<'_>| {
        last = Placed { seq: last.seq + 1, at: stamp(new.at).max(last.at) };
        last
    };
    events.iter().map(&mut place).collect()
}

/// The rows of `events` at their places, each bound to the one before, the first to `end`, which moves to the last.
pub(crate) fn chain_rows(end: &mut ChainEnd, events: &[NewEvent<'_>], places: &[Placed]) -> Vec<ChainRow> {
    let ChainEnd { link: last, at: last_at, database_role } = end;
    let row = |(new, place): (&NewEvent<'_>, &Placed)| {
        let (run_id, app) = (new.run.id.to_string(), new.run.app.to_string());
        let (at, data) = (format_timestamp(place.at), json(new.event));
        let content = Content { at: &at, run_id: &run_id, app: &app, data: &data, database_role };
        *last = last.then(&content);
        *last_at = place.at;
        ChainRow { link: last.clone(), at, run_id, app, data, database_role: database_role.clone() }
    };
    events.iter().zip(places).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_after_a_finer_one_is_the_next_whole_millisecond() {
        let at = |nanos| Timestamp::from_timestamp(5, nanos).unwrap();
        assert_eq!(whole(at(7_000_001)), at(8_000_000));
        assert_eq!(whole(at(7_000_000)), at(7_000_000));
    }
}
