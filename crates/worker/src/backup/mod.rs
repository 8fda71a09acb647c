//! Takes a backup: POST, poll until Azure's answer is final, verify the blob.

mod blobs;
mod calls;
mod found;
mod transitions;

use std::time::Duration;

use holdfast_model::{Attempt, DatabaseRef, RunEvent, RunState};

use crate::decide::{Action, decide};
use crate::intent::IntentFacts;
use crate::next::Next;
use crate::not_ready::{NotReady, stopped};
use crate::preparation::{grant_sas, read_connection_strings};
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use blobs::{BlobCheck, MadeBackup};
use transitions::{PollAnswer, polled, posted, reconciled, recorded, turned_up, verified};

/// One step of a backup.
pub(crate) async fn step(
    context: &StepContext<'_>,
    databases: &[DatabaseRef],
    window: Option<SendWindow>,
    rng: &mut fastrand::Rng,
) -> StepPlan {
    let run = context.run();
    match (decide(run, window), &run.state) {
        (Action::Prepare, _) => match prepare(context, databases, rng).await {
            Ok(plan) => plan,
            Err(why) => stopped(context, why, rng).await.into(),
        },
        (Action::Send(window), RunState::Starting { attempt }) => {
            let Some(payload) = window.redeem(&*context.env.clock) else {
                return StepPlan::SendWindowLapsed;
            };
            let answer = calls::post(context, attempt, payload).await;
            posted(&context.input_now(), attempt, answer, rng).into()
        }
        (Action::Reconcile, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
            let listed = calls::list_for_reconciling(context, attempt).await;
            reconciled(&context.input_now(), attempt, listed, rng).into()
        }
        (Action::Poll, RunState::Polling { attempt, backup, accepted_at, status, .. }) => {
            let answer = calls::progress(context, *backup).await;
            let answer = PollAnswer { answer, accepted_at: *accepted_at, last_status: status };
            let next = polled(&context.input_now(), attempt, answer, rng);
            verified_at_once(context, attempt, next, rng).await.into()
        }
        (Action::Verify, RunState::Verifying { attempt, backup: Some(backup), checks, partial_log }) => {
            let blobs =
                if run.policy_snapshot.verify { Some(calls::blobs(context, backup).await) } else { None };
            let check = BlobCheck { blobs, orphans: calls::missing(context).await, checks: *checks };
            let made = MadeBackup { backup, partial_log: partial_log.as_deref() };
            verified(&context.input_now(), attempt, made, check, rng).into()
        }
        _ => StepPlan::NothingToDo,
    }
}

/// How long a poll that found success waits for the storage. A storage that takes longer is asked in a step of its own, which
/// occupies no app and counts to the storage's share of the worker.
const SOON: Duration = Duration::from_secs(3);

/// Verifies a backup in the step that found it complete, where its storage answers soon and it is whole. In all other cases the
/// completion is committed by itself, and the verification follows.
async fn verified_at_once(
    context: &StepContext<'_>,
    attempt: &Attempt,
    mut next: Next,
    rng: &mut fastrand::Rng,
) -> Next {
    let Some(RunEvent::Completed { backup: Some(backup), .. }) = next.events.last() else { return next };
    let run = context.run();
    if !run.policy_snapshot.verify || !run.failure_counts.missing.is_empty() {
        return next;
    }
    let Ok(Ok(blobs)) = tokio::time::timeout(SOON, calls::blobs(context, backup)).await else { return next };
    let check = BlobCheck { blobs: Some(Ok(blobs)), orphans: Ok(Vec::new()), checks: 0 };
    let made = MadeBackup { backup, partial_log: None };
    let end = verified(&context.input_now(), attempt, made, check, rng);
    if matches!(end.events[..], [RunEvent::Ended { .. }]) {
        next.events.extend(end.events);
        next.due_at = end.due_at;
    }
    next
}

/// Begins an attempt once its SAS and secrets are obtained, or adopts the backup of a lost attempt.
async fn prepare(
    context: &StepContext<'_>,
    databases: &[DatabaseRef],
    rng: &mut fastrand::Rng,
) -> Result<StepPlan, NotReady> {
    let found = calls::missing(context).await?;
    if !found.is_empty() {
        return Ok(turned_up(&context.input_now(), found).into());
    }
    let late = calls::late(context).await?;
    if !late.is_empty() {
        return Ok(recorded(&context.input_now(), late).into());
    }
    let databases = read_connection_strings(context, databases).await?;
    let grant = grant_sas(context, None).await?;
    let facts = IntentFacts::from(&grant);
    let payload = RequestPayload { storage_url: grant.url, databases, schedule: None };
    Ok(context.begin_attempt(facts, payload, rng))
}

#[cfg(test)]
mod tests;
