//! The processes that run.

use holdfast_model::RunId;

use crate::columns::stamp;
use crate::error::Result;
use crate::processes::ProcessStatus;
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;

pub(super) const RECORD: &str = "record a process";
pub(super) const READ: &str = "read the processes";

impl FromRow for ProcessStatus {
    const TABLE: &'static str = "processes";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let revision = row.maybe_int("revision")?;
        Ok(Self {
            id: row.id("id")?,
            role: row.text("role")?,
            host: row.maybe_text("host")?,
            started_at: row.time("started_at")?,
            seen_at: row.time("seen_at")?,
            revision: revision.and_then(|number| u64::try_from(number).ok()),
            revision_error: row.maybe_text("revision_error")?,
            file_note: row.maybe_text("file_note")?,
            notifier_error: row.maybe_text("notifier_error")?,
        })
    }
}

/// Writes the row of a process, and deletes those of processes that died.
pub(super) async fn record(session: &mut impl Session, process: &ProcessStatus) -> Result<()> {
    let now = session.now().await?;
    let delete = "/* forget_processes */ DELETE FROM processes WHERE seen_at <= $1";
    session.execute(delete, vec![Arg::Time(stamp(now - ProcessStatus::KEPT))]).await?;
    let write = "/* record_process */ INSERT INTO processes
            (id, role, host, started_at, seen_at, revision, revision_error, file_note, notifier_error)
        VALUES ($1, $2, $3, $4, $5, nullif($6, 0), $7, $8, $9)
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, revision = excluded.revision,
            revision_error = excluded.revision_error, file_note = excluded.file_note,
            notifier_error = excluded.notifier_error";
    let revision = process.revision.and_then(|number| i64::try_from(number).ok());
    let args = vec![
        Arg::Id(process.id),
        Arg::text(&process.role),
        Arg::MaybeText(process.host.clone()),
        Arg::Time(stamp(process.started_at)),
        Arg::Time(stamp(now)),
        Arg::Int(revision.unwrap_or(0)),
        Arg::MaybeText(process.revision_error.clone()),
        Arg::MaybeText(process.file_note.clone()),
        Arg::MaybeText(process.notifier_error.clone()),
    ];
    session.execute(write, args).await.map(drop)
}

pub(super) async fn forget(session: &mut impl Session, id: RunId) -> Result<()> {
    let delete = "/* forget_process */ DELETE FROM processes WHERE id = $1";
    session.execute(delete, vec![Arg::Id(id)]).await.map(drop)
}

pub(super) async fn list(session: &mut impl Session) -> Result<Vec<ProcessStatus>> {
    let now = session.now().await?;
    let list = "/* processes */ SELECT * FROM processes WHERE seen_at > $1";
    let alive = vec![Arg::Time(stamp(now - ProcessStatus::KEPT))];
    let mut processes: Vec<ProcessStatus> = fetch_readable(session, list, alive).await?;
    processes.sort_by_key(|process| (process.started_at, process.id));
    Ok(processes)
}
