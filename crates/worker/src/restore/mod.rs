//! Restores a backup, and for a drill probes the restored app.

mod calls;
mod drill;
mod trace;
mod transitions;

use holdfast_arm::Error;
use holdfast_model::{Attempt, Cause, Restore, RunState};

use crate::decide::{Action, decide};
use crate::ending::refused;
use crate::intent::IntentFacts;
use crate::look::looked_into;
use crate::not_ready::{NotReady, stopped};
use crate::preparation::{grant_sas, read_connection_strings};
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use drill::probed;
use trace::{Trace, may_share_trace};
use transitions::{OperationAnswer, answered, may_be_final, polled, reconciled};

/// One step of a restore. `probe` is the URL that must answer after a drill.
pub(crate) async fn step(
    context: &StepContext<'_>,
    restore: &Restore,
    probe: Option<&str>,
    window: Option<SendWindow>,
    rng: &mut fastrand::Rng,
) -> StepPlan {
    let run = context.run();
    match (decide(run, window), &run.state) {
        (Action::Prepare, _) => match prepare(context, restore, rng).await {
            Ok(plan) => plan,
            Err(why) => stopped(context, why, rng).await.into(),
        },
        (Action::Send(window), RunState::Starting { attempt }) => {
            let Some(payload) = window.redeem(&*context.env.clock) else {
                return StepPlan::SendWindowLapsed;
            };
            let answer = calls::send(context, restore, payload).await;
            answered(&context.input_now(), attempt, answer, rng).into()
        }
        (Action::Reconcile, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
            let trace = looked_into(context, find_trace(context, attempt, restore).await).await;
            reconciled(&context.input_now(), attempt, trace, rng).into()
        }
        (Action::Poll, RunState::PollingOperation { attempt, operation, accepted_at, .. }) => {
            let answer = context.env.arm.operation(&run.app, operation).await;
            let trace = match &answer {
                Err(error) if may_be_final(error) => Some(find_trace(context, attempt, restore).await),
                _ => None,
            };
            let answer = OperationAnswer { answer, trace, accepted_at: *accepted_at };
            polled(&context.input_now(), attempt, answer, rng).into()
        }
        (Action::Verify, RunState::Verifying { attempt, checks, .. }) => {
            let Some(url) = probe else { return StepPlan::NothingToDo };
            let answer = context.env.probe.probe(url).await;
            probed(&context.input_now(), attempt, *checks, answer, rng).into()
        }
        _ => StepPlan::NothingToDo,
    }
}

/// Begins an attempt once its SAS and secrets are obtained. A restore stops the app, so a backup that is absent or being
/// deleted is refused first.
async fn prepare(
    context: &StepContext<'_>,
    restore: &Restore,
    rng: &mut fastrand::Rng,
) -> Result<StepPlan, NotReady> {
    let source = restore.source.short_name();
    let mut no_backup = |detail| refused(&context.input_now(), Cause::BackupNotFound, detail, rng).into();
    if let Some(by) = calls::deletion_of(context, restore).await? {
        return Ok(no_backup(format!("run {by} is deleting the backup of {source}")));
    }
    let Some(listed) = calls::find(context, restore).await? else {
        return Ok(no_backup(format!("{source} has no such backup in azure's list")));
    };
    let databases = read_connection_strings(context, &restore.databases).await?;
    let grant = grant_sas(context, None).await?;
    let facts = IntentFacts { restored_before: listed.last_restored_at, ..IntentFacts::from(&grant) };
    let payload = RequestPayload { storage_url: grant.url, databases, schedule: None };
    Ok(context.begin_attempt(facts, payload, rng))
}

/// Looks for the effect of a restore whose answer was lost.
async fn find_trace(context: &StepContext<'_>, attempt: &Attempt, restore: &Restore) -> Result<Trace, Error> {
    if calls::is_operation_under_way(context, restore).await? {
        return Ok(Trace::UnderWay);
    }
    let (Some(_), Some(listed)) = (restore.backup, calls::find(context, restore).await?) else {
        return Ok(Trace::Unknowable);
    };
    let restored_at = listed.last_restored_at;
    if restored_at == attempt.restored_before {
        return Ok(Trace::Restored(restored_at));
    }
    let others = calls::restores(context)
        .await
        .map(|others| others.iter().any(|other| may_share_trace(other, &context.input, attempt, restore)));
    Ok(match others {
        Ok(false) => Trace::Restored(restored_at),
        Ok(true) => Trace::Unknowable,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "failed to read other restores; looking again later");
            Trace::UnderWay
        }
    })
}

#[cfg(test)]
mod tests;
