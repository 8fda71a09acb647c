//! Sets the native schedule of an app, replaces the SAS that Azure keeps with it, or removes it.

mod calls;
mod desired;
mod transitions;

use holdfast_model::{Cause, DatabaseRef, RefreshReason, RunState};

use crate::decide::{Action, decide};
use crate::ending::{refused, succeeded};
use crate::intent::IntentFacts;
use crate::look::looked_into;
use crate::not_ready::{NotReady, stopped};
use crate::preparation::{grant_sas, read_connection_strings};
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use desired::ScheduleDecision;
use transitions::{ReadBack, answered, read_back, reconciled};

pub(crate) use desired::DesiredSchedule;

/// One step of a schedule change.
pub(crate) async fn step(
    context: &StepContext<'_>,
    desired: DesiredSchedule<'_>,
    databases: &[DatabaseRef],
    window: Option<SendWindow>,
    rng: &mut fastrand::Rng,
) -> StepPlan {
    let run = context.run();
    match (decide(run, window), &run.state) {
        (Action::Prepare, _) => match prepare(context, desired, databases, rng).await {
            Ok(plan) => plan,
            Err(why) => stopped(context, why, rng).await.into(),
        },
        (Action::Send(window), RunState::Starting { attempt }) => {
            let Some(payload) = window.redeem(&*context.env.clock) else {
                return StepPlan::SendWindowLapsed;
            };
            let answer = looked_into(context, calls::send(context, payload).await).await;
            answered(&context.input_now(), attempt, answer, rng).into()
        }
        (Action::Reconcile, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
            let current = looked_into(context, calls::read(context).await).await;
            let is_met = current.map(|current| desired.is_met(current.as_ref(), attempt));
            let refresh = calls::refresh_of(context, attempt, desired);
            reconciled(&context.input_now(), attempt, is_met, refresh, rng).into()
        }
        (Action::Verify, RunState::Verifying { attempt, checks, .. }) => {
            let current = calls::read(context).await;
            let differences = current.map(|current| desired.differences(current.as_ref(), attempt));
            let refresh = calls::refresh_of(context, attempt, desired);
            read_back(&context.input_now(), attempt, ReadBack { differences, checks: *checks, refresh }, rng)
                .into()
        }
        _ => StepPlan::NothingToDo,
    }
}

/// Begins an attempt where the current schedule differs from the desired one. A PUT that enables a schedule starts a
/// backup, so a schedule that is as desired gets none.
async fn prepare(
    context: &StepContext<'_>,
    desired: DesiredSchedule<'_>,
    databases: &[DatabaseRef],
    rng: &mut fastrand::Rng,
) -> Result<StepPlan, NotReady> {
    let current = calls::read(context).await?;
    Ok(match desired.decision(current.as_ref(), context.input.now) {
        ScheduleDecision::Keep => succeeded(&context.input_now(), Vec::new()).into(),
        ScheduleDecision::LeaveUndone(why) => {
            let detail =
                format!("the SAS was not renewed, because the schedule was changed outside holdfast: {why}");
            refused(&context.input_now(), Cause::ScheduleChanged, detail, rng).into()
        }
        ScheduleDecision::Remove => {
            context.begin_attempt(IntentFacts::default(), RequestPayload::default(), rng)
        }
        ScheduleDecision::Set(schedule) => {
            let databases = read_connection_strings(context, databases).await?;
            // Always a new SAS, which is valid the longest: Azure keeps it until the next one.
            let grant = grant_sas(context, Some(RefreshReason::NativeSchedule)).await?;
            let facts = IntentFacts::from(&grant);
            let payload = RequestPayload { storage_url: grant.url, databases, schedule: Some(schedule) };
            context.begin_attempt(facts, payload, rng)
        }
    })
}

#[cfg(test)]
mod tests;
