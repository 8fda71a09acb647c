//! The audit: appended to, and read back as it was written.

use holdfast_model::{Run, RunEvent, RunId, Timestamp};
use serde::Serialize;
use sqlx::types::Uuid;
use sqlx::{FromRow, PgConnection};

use super::row::{Reading, text};
use super::session::During;
use crate::columns::json;
use crate::{AuditEvent, ChainRow, Error, Link};

pub(super) const READ: &str = "read the audit";

/// A row to be, with its texts as they are hashed.
#[derive(Debug, Serialize)]
struct NewEvent {
    seq: i64,
    at: String,
    run_id: String,
    app: String,
    data: String,
    previous: String,
    hash: String,
}

#[derive(Debug, FromRow)]
struct EventRow {
    seq: i64,
    at: Timestamp,
    run_id: Uuid,
    app: String,
    data: String,
    previous: String,
    hash: String,
}

/// Appends what happened to runs, each event bound to the one before. From here to the end of the transaction nobody
/// else can append, so it comes last.
pub(super) async fn append(
    tx: &mut PgConnection,
    events: &[(&Run, &RunEvent)],
    at: Timestamp,
    operation: &'static str,
) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let last = "/* append */ SELECT seq, hash FROM audit_last()";
    let (seq, hash): (i64, String) = sqlx::query_as(last).fetch_one(&mut *tx).await.during(operation)?;
    let mut last = Link { seq, hash, ..Link::origin() };
    let at = text(at);
    let row = |(run, event): &(&Run, &RunEvent)| {
        let (at, run_id, app, data) = (at.clone(), run.id.to_string(), run.app.to_string(), json(event));
        last = last.then(&at, &run_id, &app, &data);
        let Link { seq, previous, hash } = last.clone();
        NewEvent { seq, at, run_id, app, data, previous, hash }
    };
    let rows: Vec<NewEvent> = events.iter().map(row).collect();
    let append = "/* append */ INSERT INTO audit_events (seq, at, run_id, app, data, previous, hash)
        SELECT seq, at, run_id, app, data, previous, hash
        FROM json_to_recordset($1::json) AS event (seq bigint, at timestamptz, run_id uuid, app text, data text,
            previous text, hash text)";
    sqlx::query(append).bind(json(&rows)).execute(tx).await.during(operation)?;
    Ok(())
}

pub(super) async fn of_run(connection: &mut PgConnection, run: RunId) -> Result<Vec<AuditEvent>, Error> {
    let of_run = "/* of_run */ SELECT seq, at, run_id, app, data, previous, hash FROM audit_events
        WHERE run_id = $1 ORDER BY seq";
    let rows: Vec<EventRow> =
        sqlx::query_as(of_run).bind(run.as_uuid()).fetch_all(connection).await.during(READ)?;
    rows.into_iter().map(|row| event(row.into())).collect()
}

pub(super) async fn chain(
    connection: &mut PgConnection,
    after: i64,
    most: u32,
) -> Result<Vec<ChainRow>, Error> {
    let chain = "/* chain */ SELECT seq, at, run_id, app, data, previous, hash FROM audit_events
        WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows: Vec<EventRow> =
        sqlx::query_as(chain).bind(after).bind(i64::from(most)).fetch_all(connection).await.during(READ)?;
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
        // Nobody writes finer than this, so what is finer was changed and must show.
        let whole = at.timestamp_subsec_nanos() % 1_000_000 == 0;
        let at = if whole { holdfast_model::format_timestamp(at) } else { at.to_rfc3339() };
        Self { link: Link { seq, previous, hash }, at, run_id: run_id.to_string(), app, data }
    }
}
