//! How the writing of checkpoints of the audit fares.

use std::collections::BTreeSet;

use crate::checkpoints::CheckpointStatus;
use crate::columns::{json, stamp};
use crate::error::Result;
use crate::sql::arg::Arg;
use crate::sql::reading::fetch_readable;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;

pub(super) const RECORD: &str = "record the checkpoints of the audit";
pub(super) const READ: &str = "read the checkpoints of the audit";

impl FromRow for CheckpointStatus {
    const TABLE: &'static str = "audit_checkpoints";
    const KEY: &'static [&'static str] = &["destination"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            destination: row.text("destination")?,
            checkpoint: row.maybe_text("checkpoint")?,
            written_at: row.maybe_time("written_at")?,
            failed_since: row.maybe_time("failed_since")?,
            error: row.maybe_text("error")?,
            due_at: row.time("due_at")?,
        })
    }
}

/// Writes the rows, and deletes those of other destinations.
pub(super) async fn record<S: Session>(session: &mut S, checkpoints: &[CheckpointStatus]) -> Result<()> {
    let names: BTreeSet<&str> = checkpoints.iter().map(|status| status.destination.as_str()).collect();
    session.execute(S::DIALECT.delete_checkpoints, vec![Arg::Text(json(&names))]).await?;
    let write = "/* record_checkpoints */ INSERT INTO audit_checkpoints
            (destination, checkpoint, written_at, failed_since, error, due_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (destination) DO UPDATE SET checkpoint = excluded.checkpoint,
            written_at = excluded.written_at,
            failed_since = excluded.failed_since, error = excluded.error, due_at = excluded.due_at";
    for status in checkpoints {
        let CheckpointStatus { destination, checkpoint, written_at, failed_since, error, due_at } = status;
        let args = vec![
            Arg::text(destination),
            Arg::MaybeText(checkpoint.clone()),
            Arg::MaybeTime(written_at.map(stamp)),
            Arg::MaybeTime(failed_since.map(stamp)),
            Arg::MaybeText(error.clone()),
            Arg::Time(stamp(*due_at)),
        ];
        session.execute(write, args).await?;
    }
    Ok(())
}

pub(super) async fn list(session: &mut impl Session) -> Result<Vec<CheckpointStatus>> {
    let list = "/* checkpoints */ SELECT * FROM audit_checkpoints ORDER BY destination";
    fetch_readable(session, list, Vec::new()).await
}
