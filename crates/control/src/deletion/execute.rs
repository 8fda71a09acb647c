//! Adds the runs of a planned deletion, or asks a second person for it.

use holdfast_model::{Delete, NewRun, RunId, Task};

use super::plan::{DeletionPlan, PlannedDeletion};
use crate::added_runs::{add_runs, requested_run};
use crate::adoption::adopting_run;
use crate::approvals::{Started, ask};
use crate::{ControlContext, Error};

/// Adds a run for each backup of the plan, and adopts those that others took. Where a second person must confirm, it only asks.
pub async fn execute(
    context: &ControlContext<'_>,
    plan: &DeletionPlan,
    rng: &mut fastrand::Rng,
) -> Result<Started, Error> {
    let four_eyes = context.fleet.four_eyes;
    if four_eyes.delete {
        let id = RunId::new(context.store.now().await?, rng);
        let approval = ask(context.store, plan.into(), (&context.actor, ""), (id, four_eyes.expire)).await?;
        return Ok(Started::Asked(Box::new(approval)));
    }
    Ok(Started::Runs(add_runs(context.store, &runs(context, plan, rng).await?).await?))
}

/// The runs of the plan.
pub(crate) async fn runs(
    context: &ControlContext<'_>,
    plan: &DeletionPlan,
    rng: &mut fastrand::Rng,
) -> Result<Vec<NewRun>, Error> {
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
    Ok(runs)
}
