//! Inserting runs with the events that make them.

use std::collections::BTreeSet;

use holdfast_model::{NewRun, RunId, Timestamp};

use crate::error::Result;
use crate::rules::insert::{Insertion, id_is_taken, left_out};
use crate::sql::arg::Arg;
use crate::sql::lock::lock_cursors;
use crate::sql::rows::key::IdRow;
use crate::sql::rows::run;
use crate::sql::session::Session;
use crate::sql::{app_days, audit, catalog, instructions, run_write};

pub(super) const ADD: &str = "add a run";
pub(super) const ADD_ALL: &str = "add runs";

/// Inserts runs, except those whose tick or subject is taken. Returns the ids of those inserted.
pub(super) async fn insert<S: Session>(
    session: &mut S,
    new: &[&NewRun],
    now: Timestamp,
) -> Result<BTreeSet<RunId>> {
    let mut insertion = Insertion::new(new.iter().copied());
    let added =
        run_write::write(session, S::DIALECT.insert_runs, insertion.runs().map(run::inserted)).await?;
    let left_out = insertion.retain(|run| added.contains(&run.id));
    none_exists(session, &left_out).await?;
    let numbers = insertion.catalog_numbers();
    catalog::lock(session, numbers.iter().map(|(app, _)| app.to_string()).collect()).await?;
    app_days::add(session, insertion.runs()).await?;
    let entries = catalog::read_locked(session, &numbers).await?;
    let placed = audit::append(session, &insertion.events(now)).await?;
    catalog::change(session, entries, insertion.catalog(&placed)).await?;
    instructions::write(session, insertion.instructions(&placed)).await?;
    Ok(added)
}

/// Runs are left out for their tick or their subject; a taken id is an error.
async fn none_exists<S: Session>(session: &mut S, left_out: &[RunId]) -> Result<()> {
    if left_out.is_empty() {
        return Ok(());
    }
    let existing: Vec<IdRow> = session.fetch(S::DIALECT.read_runs, vec![Arg::json(left_out)]).await?;
    existing.first().map_or(Ok(()), |run| Err(id_is_taken(session.operation(), run.0)))
}

pub(super) async fn add(session: &mut impl Session, new: &NewRun) -> Result<()> {
    let now = session.now().await?;
    let added = insert(session, &[new], now).await?;
    if added.is_empty() { Err(left_out(session.operation(), &new.run)) } else { Ok(()) }
}

/// Two transactions that added the same runs in different orders would wait for each other, so one adds at a time.
pub(super) async fn add_all(session: &mut impl Session, new: &[NewRun]) -> Result<u64> {
    lock_cursors(session).await?;
    let now = session.now().await?;
    let new: Vec<&NewRun> = new.iter().collect();
    Ok(insert(session, &new, now).await?.len() as u64)
}
