//! Writing rows of `runs` together with their rows of `unfinished_runs`.

use std::collections::BTreeSet;

use holdfast_model::RunId;

use crate::error::Result;
use crate::sql::arg::Arg;
use crate::sql::dialect::RunWrite;
use crate::sql::rows::key::IdRow;
use crate::sql::rows::run::RunColumns;
use crate::sql::session::Session;

/// Writes rows. Returns the ids of those written; the others were taken, or in another version.
pub(super) async fn write(
    session: &mut impl Session,
    statements: RunWrite,
    mut rows: Vec<impl RunColumns>,
) -> Result<BTreeSet<RunId>> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let written: Vec<IdRow> = session.fetch(statements.first, vec![Arg::json(&rows)]).await?;
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
