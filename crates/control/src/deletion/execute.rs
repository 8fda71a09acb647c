//! Adds the runs of a planned deletion.

use holdfast_model::{Delete, Task};

use super::plan::{DeletionPlan, PlannedDeletion};
use crate::added_runs::{AddedRuns, add_runs, requested_run};
use crate::adoption::adopting_run;
use crate::{ControlContext, Error};

/// Adds a run for each backup of the plan, and adopts those that others took.
pub async fn execute(
    context: &ControlContext<'_>,
    plan: &DeletionPlan,
    rng: &mut fastrand::Rng,
) -> Result<AddedRuns, Error> {
    let by = (&context.actor, context.store.now().await?);
    let (app, allow_last) = (&plan.app, plan.allow_last);
    let mut runs = Vec::new();
    for PlannedDeletion { backup, policy_snapshot, is_foreign } in &plan.backups {
        if *is_foreign {
            runs.push(adopting_run(backup, (app, policy_snapshot), by, rng));
        }
        let task =
            Task::Delete(Delete { backup: backup.id, blob: backup.blob.clone(), allow_last, rule: None });
        runs.push(requested_run((app, policy_snapshot), task, by, rng));
    }
    add_runs(context.store, &runs).await
}
