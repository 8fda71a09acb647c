//! Plans restores and drills, and adds the run of a confirmed plan, or asks a second person for it.

use std::time::Duration;

use holdfast_config::FourEyes;
use holdfast_model::{NewRun, NewTask, RunId, RunKind, Trigger};
use holdfast_store::{RequestAnswer, RequestKey};

use super::drill::DrillRequest;
use super::gather::gather;
use super::plan::{NewRestore, RestorePlan};
use super::request::RestoreRequest;
use crate::added_runs::add_runs;
use crate::approvals::{Started, StartedOnce, ask};
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

/// Adds the run of a plan; fails when the same is under way already. Where a second person must confirm, it only asks.
pub async fn execute(
    context: &ControlContext<'_>,
    plan: &RestorePlan,
    rng: &mut fastrand::Rng,
) -> Result<Started, Error> {
    let run = RunId::new(context.store.now().await?, rng);
    if let Some(lasts) = plan.waits_for_approval(context.fleet.four_eyes) {
        let approval = ask(context.store, plan.into(), (&context.actor, ""), (run, lasts)).await?;
        return Ok(Started::Asked(Box::new(approval)));
    }
    let added = add_runs(context.store, &[new_run(context, plan, run).await?]).await?;
    if added.under_way > 0 { Err(under_way(plan)) } else { Ok(Started::Runs(added)) }
}

/// A confirmed plan that is to start.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmedPlan<'a> {
    /// The plan.
    pub plan: &'a RestorePlan,
    /// The id of its run, or of the request to a second person.
    pub run: RunId,
    /// Why, for the second person; empty where there is no reason.
    pub reason: &'a str,
    /// The key of the request, and its answer; `None` for a request without a key.
    pub request: Option<(&'a RequestKey, &'a str)>,
}

/// Adds the run of a confirmed plan, once for each key; fails when the same is under way already. Where a second person must
/// confirm, it only asks, and asks once for the same.
pub async fn execute_once(
    context: &ControlContext<'_>,
    confirmed: ConfirmedPlan<'_>,
) -> Result<StartedOnce, Error> {
    let ConfirmedPlan { plan, run, reason, request } = confirmed;
    if let Some(lasts) = plan.waits_for_approval(context.fleet.four_eyes) {
        let approval = ask(context.store, plan.into(), (&context.actor, reason), (run, lasts)).await?;
        return Ok(StartedOnce::Asked(Box::new(approval)));
    }
    let new = [new_run(context, plan, run).await?];
    let Some((key, answer)) = request else {
        let added = add_runs(context.store, &new).await?;
        let new = StartedOnce::Runs(RequestAnswer::New);
        return if added.under_way > 0 { Err(under_way(plan)) } else { Ok(new) };
    };
    match context.store.add_runs_once(key, answer, &new).await {
        Err(holdfast_store::Error::Inconsistent { .. }) => Err(under_way(plan)),
        known => Ok(StartedOnce::Runs(known?)),
    }
}

/// The run of a plan, due immediately.
pub(crate) async fn new_run(
    context: &ControlContext<'_>,
    plan: &RestorePlan,
    id: RunId,
) -> Result<NewRun, Error> {
    let Some(NewRestore { app, policy_snapshot, task }) = &plan.run else {
        let what = format!("the plan of the {} was made by another process", plan.kind);
        return Err(Error::new(ErrorKind::Invalid, what).help("plan it again here"));
    };
    let asked = NewTask { task: task.clone(), trigger: Trigger::Manual, actor: Some(context.actor.clone()) };
    Ok(NewRun::task(id, app, policy_snapshot, asked, context.store.now().await?))
}

impl RestorePlan {
    /// How long a request for it waits for a second person; `None` where it needs none: it replaces nothing but a scratch app.
    pub fn waits_for_approval(&self, four_eyes: FourEyes) -> Option<Duration> {
        let is_needed = four_eyes.restore && self.kind == RunKind::Restore && self.target.exists;
        is_needed.then_some(four_eyes.expire)
    }
}

fn under_way(plan: &RestorePlan) -> Error {
    let what = format!("a {} of {} is under way already", plan.kind, plan.source.short_name());
    let help = format!("`holdfast history {}` lists it", plan.word());
    Error::new(ErrorKind::Refused, what).help(help)
}
