//! Work that consoles do in the background.

use crate::columns::stamp;
use crate::error::Result;
use crate::operations::OperationRecord;
use crate::sql::arg::Arg;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::{Session, fetch_optional};

pub(super) const RECORD: &str = "record an operation of a console";
pub(super) const READ: &str = "read an operation of a console";

impl FromRow for OperationRecord {
    const TABLE: &'static str = "operations";
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        let progress = row.int("progress")?;
        Ok(Self {
            id: row.text("id")?,
            owner: row.text("owner")?,
            what: row.text("what")?,
            begun_at: row.time("begun_at")?,
            seen_at: row.time("seen_at")?,
            progress: u64::try_from(progress).map_err(|_| row.wrong("progress", progress))?,
            result: row.maybe_text("result")?,
        })
    }
}

/// Writes the row of an operation that has no result yet, and deletes old ones.
pub(super) async fn record(session: &mut impl Session, operation: &OperationRecord) -> Result<()> {
    let now = session.now().await?;
    let delete = "/* forget_operations */ DELETE FROM operations WHERE seen_at <= $1";
    session.execute(delete, vec![Arg::Time(stamp(now - OperationRecord::KEPT))]).await?;
    let write = "/* record_operation */ INSERT INTO operations (id, owner, what, begun_at, seen_at, progress, result)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, progress = excluded.progress, result = excluded.result
        WHERE operations.result IS NULL";
    let OperationRecord { id, owner, what, begun_at, progress, result, .. } = operation;
    let args = vec![
        Arg::text(id),
        Arg::text(owner),
        Arg::text(what),
        Arg::Time(stamp(*begun_at)),
        Arg::Time(stamp(now)),
        Arg::Int(i64::try_from(*progress).unwrap_or(i64::MAX)),
        Arg::MaybeText(result.clone()),
    ];
    session.execute(write, args).await.map(drop)
}

pub(super) async fn find(session: &mut impl Session, id: &str) -> Result<Option<OperationRecord>> {
    let since = session.now().await? - OperationRecord::KEPT;
    let find = "/* operation */ SELECT * FROM operations WHERE id = $1 AND seen_at > $2";
    fetch_optional(session, find, vec![Arg::text(id), Arg::Time(stamp(since))]).await
}
