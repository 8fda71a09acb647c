//! Committing changes of runs.

use std::collections::BTreeSet;

use holdfast_model::{Run, RunId};

use crate::change::{Change, Committed};
use crate::error::{Error, Result};
use crate::rules::commit::{Batch, app_is_occupied};
use crate::sql::arg::Arg;
use crate::sql::rows::run;
use crate::sql::session::Session;
use crate::sql::{app_days, audit, catalog, intents, run_write};

/// Commits a batch of changes, each of another run. The update compares the versions once more: another transaction may
/// have been faster between reading and writing.
pub(super) async fn commit<S: Session>(session: &mut S, changes: &[Change]) -> Result<Vec<Committed>> {
    let ids: Vec<RunId> = changes.iter().map(|change| change.run.id).collect();
    let rows: Vec<Run> = session.fetch(S::DIALECT.read_runs, vec![Arg::json(&ids)]).await?;
    let mut batch = Batch::new(changes, rows.into_iter().map(|run| (run.id, run)).collect());
    lock(session, &batch).await?;
    for place in batch.intents() {
        if let Some((run, intent)) = batch.intent(place) {
            let facts = intents::facts(session, run, intent).await?;
            batch.check_intent(place, facts);
        }
    }
    let written = update(session, &batch).await?;
    batch.retain_written(&written);
    app_days::add(session, batch.rows().map(|(run, _)| run)).await?;
    let entries = catalog::read_locked(session, &batch.catalog_numbers()).await?;
    let placed = audit::append(session, &batch.events()).await?;
    catalog::change(session, entries, batch.catalog(&placed)).await?;
    Ok(batch.results())
}

/// Locks what intents are about, and the catalog of the apps that the changes touch.
async fn lock<S: Session>(session: &mut S, batch: &Batch<'_>) -> Result<()> {
    let intents = batch.intents().into_iter().filter_map(|place| batch.intent(place));
    let mut names: BTreeSet<String> = intents.flat_map(|(run, intent)| intent.locks(run)).collect();
    names.extend(batch.catalog_numbers().iter().map(|(app, _)| app.to_string()));
    catalog::lock(session, names).await
}

/// Writes the rows that are still in their version. Returns their ids.
async fn update<S: Session>(session: &mut S, batch: &Batch<'_>) -> Result<BTreeSet<RunId>> {
    let rows = batch.rows().map(|(run, from)| run::updated(run, from));
    run_write::write(session, S::DIALECT.update_runs, rows).await.map_err(|error| {
        let occupying =
            batch.rows().find(|(run, _)| run.occupies_app()).filter(|_| is_unique_violation(&error));
        occupying.map_or(error, |(run, _)| app_is_occupied(run.id))
    })
}

/// Of the unique indexes only that of occupied apps covers a column that an update writes.
fn is_unique_violation(error: &Error) -> bool {
    let Error::Driver { source: sqlx::Error::Database(error), .. } = error else { return false };
    error.is_unique_violation()
}
