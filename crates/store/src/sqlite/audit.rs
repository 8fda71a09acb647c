//! The audit: appended to, and read back as it was written.

use holdfast_model::{Run, RunEvent, RunId, Timestamp};
use serde::Serialize;
use sqlx::{FromRow, SqliteConnection};

use super::driver::During;
use super::row::{Reading, text};
use crate::columns::json;
use crate::{AuditEvent, ChainRow, Error, Link};

pub(super) const READ: &str = "read the audit";

#[derive(Debug, FromRow, Serialize)]
struct EventRow {
    seq: i64,
    at: String,
    run_id: String,
    app: String,
    data: String,
    previous: String,
    hash: String,
}

/// Appends what happened to runs, each event bound to the one before. All in one statement.
pub(super) async fn append<'a>(
    tx: &mut SqliteConnection,
    events: impl IntoIterator<Item = (&'a Run, &'a RunEvent)>,
    at: Timestamp,
    operation: &'static str,
) -> Result<(), Error> {
    let mut last = last_link(tx).await.during(operation)?;
    let at = text(at);
    let row = |(run, event): (&Run, &RunEvent)| {
        let (at, run_id, app, data) = (at.clone(), run.id.to_string(), run.app.to_string(), json(event));
        last = last.then(&at, &run_id, &app, &data);
        let Link { seq, previous, hash } = last.clone();
        EventRow { seq, at, run_id, app, data, previous, hash }
    };
    let rows: Vec<EventRow> = events.into_iter().map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let append = "/* append */ INSERT INTO audit_events (seq, at, run_id, app, data, previous, hash)
        SELECT value ->> '$.seq', value ->> '$.at', value ->> '$.run_id', value ->> '$.app', value ->> '$.data',
               value ->> '$.previous', value ->> '$.hash'
        FROM json_each(?)";
    sqlx::query(append).bind(json(&rows)).execute(tx).await.during(operation)?;
    Ok(())
}

async fn last_link(tx: &mut SqliteConnection) -> Result<Link, sqlx::Error> {
    let last = "/* last_link */ SELECT seq, previous, hash FROM audit_events WHERE seq > 0 ORDER BY seq DESC LIMIT 1";
    let last: Option<(i64, String, String)> = sqlx::query_as(last).fetch_optional(tx).await?;
    Ok(last.map_or_else(Link::origin, |(seq, previous, hash)| Link { seq, previous, hash }))
}

pub(super) async fn of_run(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<AuditEvent>, Error> {
    let of_run = "/* of_run */ SELECT seq, at, run_id, app, data, previous, hash FROM audit_events
        WHERE run_id = ? ORDER BY seq";
    let rows: Vec<EventRow> =
        sqlx::query_as(of_run).bind(run.to_string()).fetch_all(connection).await.during(READ)?;
    rows.into_iter().map(|row| event(row.into())).collect()
}

pub(super) async fn chain(
    connection: &mut SqliteConnection,
    after: i64,
    most: u32,
) -> Result<Vec<ChainRow>, Error> {
    let chain = "/* chain */ SELECT seq, at, run_id, app, data, previous, hash FROM audit_events
        WHERE seq > ? ORDER BY seq LIMIT ?";
    let rows: Vec<EventRow> =
        sqlx::query_as(chain).bind(after).bind(most).fetch_all(connection).await.during(READ)?;
    Ok(rows.into_iter().map(ChainRow::from).collect())
}

/// A stored row as an event.
pub(super) fn event(row: ChainRow) -> Result<AuditEvent, Error> {
    let reading = Reading { operation: READ, of: format!("audit event {}", row.link.seq) };
    Ok(AuditEvent {
        at: reading.time("at", &row.at)?,
        run_id: reading.parse("run_id", &row.run_id)?,
        app: reading.parse("app", &row.app)?,
        event: reading.json("data", &row.data)?,
        link: row.link,
    })
}

impl From<EventRow> for ChainRow {
    fn from(row: EventRow) -> Self {
        let EventRow { seq, at, run_id, app, data, previous, hash } = row;
        Self { link: Link { seq, previous, hash }, at, run_id, app, data }
    }
}
