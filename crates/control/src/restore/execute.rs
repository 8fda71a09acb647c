//! Plans restores and drills, and adds the run of a confirmed plan.

use holdfast_model::{NewRun, NewTask, RunId, Trigger};
use holdfast_store::{RequestAnswer, RequestKey};

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
    if added.under_way > 0 { Err(under_way(plan)) } else { Ok(added) }
}

/// A confirmed plan that is to start.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmedPlan<'a> {
    /// The plan.
    pub plan: &'a RestorePlan,
    /// The id of its run.
    pub run: RunId,
    /// The key of the request, and its answer; `None` for a request without a key.
    pub request: Option<(&'a RequestKey, &'a str)>,
}

/// Adds the run of a confirmed plan, once for each key. Returns what the store knew of the request; fails when the same is under
/// way already.
pub async fn execute_once(
    context: &ControlContext<'_>,
    confirmed: ConfirmedPlan<'_>,
) -> Result<RequestAnswer, Error> {
    let ConfirmedPlan { plan, run, request } = confirmed;
    let NewRestore { app, policy_snapshot, task } = &plan.run;
    let asked = NewTask { task: task.clone(), trigger: Trigger::Manual, actor: Some(context.actor.clone()) };
    let new = [NewRun::task(run, app, policy_snapshot, asked, context.store.now().await?)];
    let Some((key, answer)) = request else {
        let added = add_runs(context.store, &new).await?;
        return if added.under_way > 0 { Err(under_way(plan)) } else { Ok(RequestAnswer::New) };
    };
    match context.store.add_runs_once(key, answer, &new).await {
        Err(holdfast_store::Error::Inconsistent { .. }) => Err(under_way(plan)),
        known => Ok(known?),
    }
}

fn under_way(plan: &RestorePlan) -> Error {
    let what = format!("a {} of {} is under way already", plan.kind, plan.source.short_name());
    let help = format!("`holdfast history {}` lists it", plan.word());
    Error::new(ErrorKind::Refused, what).help(help)
}
