//! Runs that a request adds to the store.

use holdfast_model::{Actor, App, NewRun, NewTask, PolicySnapshot, RunId, RunKind, Task, Timestamp, Trigger};
use holdfast_store::Store;

use crate::Error;

/// The runs that a request added.
#[derive(Debug, Default)]
pub struct AddedRuns {
    /// The requested runs, without the operator actions recorded beside them.
    pub ids: Vec<RunId>,
    /// How many were left out, because the same run is under way already.
    pub under_way: u64,
}

/// Adds the runs in one transaction.
///
/// The store leaves out a run that repeats one under way.
pub async fn add_runs(store: &dyn Store, runs: &[NewRun]) -> Result<AddedRuns, Error> {
    let added = store.add_runs(runs).await?;
    let total = u64::try_from(runs.len()).unwrap_or(u64::MAX);
    let requested = runs.iter().filter(|new| new.run.task.kind() != RunKind::OperatorAction);
    Ok(AddedRuns { ids: requested.map(|new| new.run.id).collect(), under_way: total.saturating_sub(added) })
}

/// A run that an operator requests, due immediately.
pub(crate) fn requested_run(
    (app, policy_snapshot): (&App, &PolicySnapshot),
    task: Task,
    (actor, now): (&Actor, Timestamp),
    rng: &mut fastrand::Rng,
) -> NewRun {
    let request = NewTask { task, trigger: Trigger::Manual, actor: Some(actor.clone()) };
    NewRun::task(RunId::new(now, rng), app, policy_snapshot, request, now)
}
