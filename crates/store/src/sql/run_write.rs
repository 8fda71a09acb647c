//! Writing rows of `runs` together with their rows of `unfinished_runs`.

use std::collections::BTreeSet;

use holdfast_model::RunId;

use crate::error::Result;
use crate::sql::arg::Arg;
use crate::sql::dialect::RunWrite;
use crate::sql::rows::key::IdRow;
use crate::sql::rows::run::RunColumns;
use crate::sql::session::Session;

/// Rows per statement. While the database works on one statement, the rows of the next one are prepared.
const CHUNK: usize = 250;

/// Rows and their JSON.
struct Chunk<R> {
    rows: Vec<R>,
    json: Arg,
}

/// Writes rows. Returns the ids of those written; the others were taken, or in another version.
pub(super) async fn write<R: RunColumns>(
    session: &mut impl Session,
    statements: RunWrite,
    mut rows: impl Iterator<Item = R> + Send,
) -> Result<BTreeSet<RunId>> {
    let mut written = BTreeSet::new();
    let mut next = chunk(&mut rows);
    while let Some(present) = next {
        let work = write_chunk(session, statements, present);
        let (ids, following) = tokio::join!(biased; work, async { chunk(&mut rows) });
        written.extend(ids?);
        next = following;
    }
    Ok(written)
}

fn chunk<R: RunColumns>(rows: &mut impl Iterator<Item = R>) -> Option<Chunk<R>> {
    let rows: Vec<R> = rows.take(CHUNK).collect();
    (!rows.is_empty()).then(|| Chunk { json: Arg::json(&rows), rows })
}

async fn write_chunk<R: RunColumns>(
    session: &mut impl Session,
    statements: RunWrite,
    Chunk { mut rows, json }: Chunk<R>,
) -> Result<BTreeSet<RunId>> {
    let written: Vec<IdRow> = session.fetch(statements.first, vec![json]).await?;
    let written: BTreeSet<RunId> = written.into_iter().map(|row| row.0).collect();
    rows.retain(|row| written.contains(&row.id()));
    if let Some(statement) = statements.unfinished {
        let unfinished: Vec<_> = rows.iter().filter_map(RunColumns::unfinished).collect();
        if !unfinished.is_empty() {
            let rows = Arg::json(&unfinished);
            session.execute(statement, vec![rows]).await?;
        }
    }
    if let Some(statement) = statements.ended {
        let ended: Vec<_> =
            rows.iter().filter(|row| row.unfinished().is_none()).map(RunColumns::id).collect();
        if !ended.is_empty() {
            session.execute(statement, vec![Arg::json(&ended)]).await?;
        }
    }
    Ok(written)
}
