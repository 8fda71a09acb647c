//! Reads pages of the audit.

use holdfast_model::{OperatorAction, RunEvent, Timestamp};
use holdfast_store::{ActFilter, AuditEvent, CheckpointStatus, Link, Store};

use crate::Error;
use crate::runs::actor;
use crate::views::acts::PersonAct;
use crate::views::audit_page::{AuditPage, AuditQuery, AuditRow};
use crate::views::cursor;

/// Events that are read at a time, and how often for one page at most. A page of a rare person or app therefore ends
/// with a cursor before it is full.
const WINDOW: u32 = 500;
const WINDOWS: usize = 4;

/// Reads a page of what people did: at most `most` rows. Asks the store with six statements at most.
pub async fn audit_page(
    store: &dyn Store,
    now: Timestamp,
    query: &AuditQuery,
    most: usize,
) -> Result<AuditPage, Error> {
    let mut before: Option<i64> = query.after.as_ref().map(|after| cursor::decode(after)).transpose()?;
    let mut rows: Vec<AuditRow> = Vec::new();
    let (mut is_end, mut windows) = (false, 0);
    while !is_end && rows.len() < most && windows < WINDOWS {
        let events = store.acts(&ActFilter { before, most: WINDOW }).await?;
        windows += 1;
        is_end = events.len() < WINDOW as usize;
        for (place, event) in events.iter().enumerate() {
            rows.extend(row_asked(event, query));
            before = Some(event.link.seq);
            if rows.len() == most {
                is_end = is_end && place + 1 == events.len();
                break;
            }
        }
    }
    let last = store.last_event().await?.map_or_else(Link::origin, |event| event.link);
    let checkpoints: Vec<CheckpointStatus> = store.checkpoints().await?;
    let next = before.filter(|_| !is_end).map(|before| cursor::encode(&before));
    Ok(AuditPage { as_of: now, rows, next, last_seq: last.seq, last_hash: last.hash, checkpoints })
}

/// The row of an event that the query asks for; `None` for another event.
pub fn row_asked(event: &AuditEvent, query: &AuditQuery) -> Option<AuditRow> {
    row(event).filter(|row| is_asked(row, query))
}

fn row(event: &AuditEvent) -> Option<AuditRow> {
    let PersonAct { seq, at, person, what, app, name, run_id } = PersonAct::of(event)?;
    let claim = actor(std::slice::from_ref(event)).unwrap_or_default();
    Some(AuditRow {
        seq,
        at,
        person,
        claim,
        kind: kind(event),
        what,
        app,
        name,
        run_id,
        hash: event.link.hash.clone(),
    })
}

fn kind(event: &AuditEvent) -> String {
    match &event.event {
        RunEvent::Planned { task, .. } => task.kind().as_str().to_owned(),
        RunEvent::ActionRecorded { action, .. } => OperatorAction::as_str(action).to_owned(),
        other => other.name().to_owned(),
    }
}

fn is_asked(row: &AuditRow, query: &AuditQuery) -> bool {
    query.person.as_ref().is_none_or(|person| row.person == *person)
        && query.kind.as_ref().is_none_or(|kind| row.kind == *kind)
        && query.app.as_ref().is_none_or(|app| row.app.as_ref() == Some(app))
}
