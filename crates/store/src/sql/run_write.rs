//! Writing rows of `runs` together with their rows of `unfinished_runs`.

use std::collections::BTreeSet;

use holdfast_model::RunId;
use serde_json::Value;

use crate::error::Result;
use crate::sql::arg::Arg;
use crate::sql::rows::key::IdRow;
use crate::sql::session::Session;

/// The statements that write rows of `runs` and of `unfinished_runs`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunWrite {
    /// Writes `runs`, and `unfinished_runs` where one statement can write both. Returns the ids of the rows written.
    pub first: &'static str,
    /// Write `unfinished_runs`, given the rows written.
    pub then: &'static [&'static str],
}

/// Writes rows. Returns the ids of those written; the others were taken, or in another version.
pub(super) async fn write(
    session: &mut impl Session,
    statements: RunWrite,
    mut rows: Vec<Value>,
) -> Result<BTreeSet<RunId>> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let written: Vec<IdRow> = session.fetch(statements.first, vec![Arg::json(&rows)]).await?;
    let written: BTreeSet<RunId> = written.into_iter().map(|row| row.0).collect();
    if !statements.then.is_empty() {
        let is_written = |id: &str| id.parse().is_ok_and(|id| written.contains(&id));
        rows.retain(|row| row.get("id").and_then(Value::as_str).is_some_and(is_written));
    }
    for statement in statements.then {
        session.execute(statement, vec![Arg::json(&rows)]).await?;
    }
    Ok(written)
}
