//! Instructions of people about apps: pauses and acknowledgements.

use serde_json::{Value, json as object};

use crate::error::Result;
use crate::rules::instructions::Instructions;
use crate::sql::arg::{Arg, time_text};
use crate::sql::rows::run::without_nul;
use crate::sql::session::Session;

/// Writes the instructions, in a statement for each kind that there is.
pub(super) async fn write<S: Session>(session: &mut S, instructions: Instructions) -> Result<()> {
    let pauses: Vec<Value> = instructions
        .pauses
        .iter()
        .map(|(app, pause)| {
            object!({
                "app": app.to_string(),
                "paused_until": time_text(pause.until),
                "reason": without_nul(&pause.reason),
                "actor": without_nul(&pause.actor),
                "since": time_text(pause.since),
            })
        })
        .collect();
    let acknowledgements: Vec<Value> = instructions
        .acknowledgements
        .iter()
        .map(|(app, acknowledged)| {
            object!({
                "app": app.to_string(),
                "run_id": acknowledged.run_id.to_string(),
                "note": without_nul(&acknowledged.note),
                "actor": without_nul(&acknowledged.actor),
                "at": time_text(acknowledged.at),
            })
        })
        .collect();
    let dialect = S::DIALECT;
    for (statement, rows) in
        [(dialect.write_pauses, pauses), (dialect.write_acknowledgements, acknowledgements)]
    {
        if !rows.is_empty() {
            session.execute(statement, vec![Arg::json(&rows)]).await?;
        }
    }
    Ok(())
}
