//! Plans restores and drills, and adds the run of a confirmed plan.

use super::drill::DrillRequest;
use super::gather::gather;
use super::plan::{NewRestore, RestorePlan};
use super::request::RestoreRequest;
use crate::added_runs::{AddedRuns, add_runs, requested_run};
use crate::{ControlContext, Error, ErrorKind};

/// Plans a restore; fails when it cannot start now.
pub async fn plan_restore(
    context: &ControlContext<'_>,
    request: RestoreRequest,
) -> Result<RestorePlan, Error> {
    gather(context, request.resolve(context).await?).await
}

/// Plans a drill; fails when it cannot start now.
pub async fn plan_drill(context: &ControlContext<'_>, request: DrillRequest) -> Result<RestorePlan, Error> {
    gather(context, request.resolve(context).await?).await
}

/// Adds the run of a plan; fails when the same is under way already.
pub async fn execute(
    context: &ControlContext<'_>,
    plan: &RestorePlan,
    rng: &mut fastrand::Rng,
) -> Result<AddedRuns, Error> {
    let NewRestore { app, policy_snapshot, task } = &plan.run;
    let now = context.store.now().await?;
    let run = requested_run((app, policy_snapshot), task.clone(), (&context.actor, now), rng);
    let added = add_runs(context.store, &[run]).await?;
    if added.under_way > 0 {
        let what = format!("a {} of {} is under way already", plan.kind, plan.source.short_name());
        let help = format!("`holdfast history {}` lists it", plan.word());
        return Err(Error::new(ErrorKind::Refused, what).help(help));
    }
    Ok(added)
}
