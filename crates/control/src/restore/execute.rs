//! Plans restores and drills, and adds the runs of confirmed plans, or asks a second person for them.

use std::time::Duration;

use futures::StreamExt as _;
use holdfast_config::FourEyes;
use holdfast_model::{NewRun, NewTask, RunId, RunKind, Trigger};
use holdfast_store::{RequestAnswer, RequestKey};

use super::drill::DrillRequest;
use super::gather::gather;
use super::plan::{NewRestore, RestorePlan};
use super::plan_context::PlanContext;
use super::request::RestoreRequest;
use crate::added_runs::add_runs;
use crate::approvals::{Started, StartedOnce, Wish, ask};
use crate::{ControlContext, Error, ErrorKind};

/// Plans that are made at once.
const AT_ONCE: usize = 16;

/// Plans a restore; fails when it cannot start now.
pub async fn plan_restore(
    context: &ControlContext<'_>,
    request: RestoreRequest,
) -> Result<RestorePlan, Error> {
    plan_one(&PlanContext::new(context).await?, request).await
}

/// Plans several restores; fails when one of them cannot start now.
pub(crate) async fn plan_restores(
    context: &ControlContext<'_>,
    requests: Vec<RestoreRequest>,
) -> Result<Vec<RestorePlan>, Error> {
    let shared = PlanContext::new(context).await?;
    let plans = requests.into_iter().map(|request| plan_one(&shared, request));
    let plans: Vec<_> = futures::stream::iter(plans).buffered(AT_ONCE).collect().await;
    plans.into_iter().collect()
}

async fn plan_one(shared: &PlanContext<'_>, request: RestoreRequest) -> Result<RestorePlan, Error> {
    gather(shared, request.resolve(shared).await?).await
}

/// Plans a drill; fails when it cannot start now.
pub async fn plan_drill(context: &ControlContext<'_>, request: DrillRequest) -> Result<RestorePlan, Error> {
    let shared = PlanContext::new(context).await?;
    gather(&shared, request.resolve(&shared).await?).await
}

/// Adds the runs of plans in one transaction; fails when all of the same are under way already. Where a second person must confirm
/// one of them, it only asks, for all of them.
pub async fn execute(
    context: &ControlContext<'_>,
    plans: &[RestorePlan],
    rng: &mut fastrand::Rng,
) -> Result<Started, Error> {
    let now = context.store.now().await?;
    let runs: Vec<RunId> = plans.iter().map(|_| RunId::new(now, rng)).collect();
    let confirmed = ConfirmedPlans { plans, runs: &runs, reason: "", request: None };
    if let Some(asked) = asked(context, confirmed).await? {
        return Ok(Started::Asked(asked));
    }
    let added = add_runs(context.store, &new_runs(context, plans, &runs).await?).await?;
    let all = u64::try_from(plans.len()).unwrap_or(u64::MAX);
    if added.under_way == all { Err(under_way(plans)) } else { Ok(Started::Runs(added)) }
}

/// Confirmed plans that are to start together.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmedPlans<'a> {
    /// The plans.
    pub plans: &'a [RestorePlan],
    /// The ids of their runs. The first one is that of a request to a second person.
    pub runs: &'a [RunId],
    /// Why, for the second person; empty where there is no reason.
    pub reason: &'a str,
    /// The key of the request, and its answer; `None` for a request without a key.
    pub request: Option<(&'a RequestKey, &'a str)>,
}

/// Adds the runs of confirmed plans in one transaction, once for each key; fails when the same as one of them is under way already.
/// Where a second person must confirm one of them, it only asks, for all of them, and asks once for the same.
pub async fn execute_once(
    context: &ControlContext<'_>,
    confirmed: ConfirmedPlans<'_>,
) -> Result<StartedOnce, Error> {
    if let Some(asked) = asked(context, confirmed).await? {
        return Ok(StartedOnce::Asked(asked));
    }
    let ConfirmedPlans { plans, runs, request, .. } = confirmed;
    let new = new_runs(context, plans, runs).await?;
    let Some((key, answer)) = request else {
        let added = add_runs(context.store, &new).await?;
        let new = StartedOnce::Runs(RequestAnswer::New);
        return if added.under_way > 0 { Err(under_way(plans)) } else { Ok(new) };
    };
    match context.store.add_runs_once(key, answer, &new).await {
        Err(holdfast_store::Error::Inconsistent { .. }) => Err(under_way(plans)),
        known => Ok(StartedOnce::Runs(known?)),
    }
}

/// The request to a second person; `None` where none must confirm.
async fn asked(
    context: &ControlContext<'_>,
    ConfirmedPlans { plans, runs, reason, .. }: ConfirmedPlans<'_>,
) -> Result<Option<Box<holdfast_store::Approval>>, Error> {
    let Some(id) = runs.first().copied().filter(|_| runs.len() == plans.len()) else {
        return Err(Error::new(ErrorKind::Invalid, "nothing is planned, so there is nothing to start"));
    };
    let lasts = plans.iter().find_map(|plan| plan.waits_for_approval(context.fleet.four_eyes));
    let Some(lasts) = lasts else { return Ok(None) };
    let approval =
        ask(context.store, Wish::to_restore(plans)?, (&context.actor, reason), (id, lasts)).await?;
    Ok(Some(Box::new(approval)))
}

/// The runs of plans, due immediately.
pub(crate) async fn new_runs(
    context: &ControlContext<'_>,
    plans: &[RestorePlan],
    ids: &[RunId],
) -> Result<Vec<NewRun>, Error> {
    let now = context.store.now().await?;
    let new_run = |(plan, id): (&RestorePlan, &RunId)| {
        let Some(NewRestore { app, policy_snapshot, task }) = &plan.run else {
            let what = format!("the plan of the {} was made by another process", plan.kind);
            return Err(Error::new(ErrorKind::Invalid, what).help("plan it again here"));
        };
        let actor = Some(context.actor.clone());
        let asked = NewTask { task: task.clone(), trigger: Trigger::Manual, actor };
        Ok(NewRun::task(*id, app, policy_snapshot, asked, now))
    };
    plans.iter().zip(ids).map(new_run).collect()
}

impl RestorePlan {
    /// How long a request for it waits for a second person; `None` where it needs none: it replaces nothing but a scratch app.
    pub fn waits_for_approval(&self, four_eyes: FourEyes) -> Option<Duration> {
        let is_needed = four_eyes.restore && self.kind == RunKind::Restore && self.target.exists;
        is_needed.then_some(four_eyes.expire)
    }
}

fn under_way(plans: &[RestorePlan]) -> Error {
    let (what, help) = match plans {
        [plan] => (
            format!("a {} of {} is under way already", plan.kind, plan.source.short_name()),
            format!("`holdfast history {}` lists it", plan.word()),
        ),
        _ => (
            "the same as one of these is under way already, so none was started".to_owned(),
            "plan them again: what is under way is left out".to_owned(),
        ),
    };
    Error::new(ErrorKind::Refused, what).help(help)
}
