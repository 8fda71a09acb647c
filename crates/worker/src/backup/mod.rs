//! Takes a backup: POST, poll until Azure's answer is final, verify the blob.

mod blobs;
mod calls;
mod found;
mod transitions;

use holdfast_model::{DatabaseRef, RunState};

use crate::decide::{Action, decide};
use crate::intent::IntentFacts;
use crate::not_ready::{NotReady, not_ready};
use crate::preparation::{grant_sas, read_connection_strings};
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use blobs::BlobCheck;
use found::FoundBackup;
use transitions::{PollAnswer, counts_as_good, polled, posted, reconciled, turned_up, verified};

/// One step of a backup.
pub(crate) async fn step(
    context: &StepContext<'_>,
    databases: &[DatabaseRef],
    window: Option<SendWindow>,
    rng: &mut fastrand::Rng,
) -> StepPlan {
    let run = context.run();
    match (decide(run, window), &run.state) {
        (Action::Prepare, _) => match prepare(context, databases).await {
            Ok(Prepared::Ready(facts, payload)) => context.begin_attempt(facts, payload),
            Ok(Prepared::TurnedUp(found)) => turned_up(&context.input_now(), found).into(),
            Err(why) => not_ready(&context.input_now(), &why, rng).into(),
        },
        (Action::Send(window), RunState::Starting { attempt }) => {
            let Some(payload) = window.redeem(&*context.env.clock) else {
                return StepPlan::SendWindowLapsed;
            };
            let answer = calls::post(context, attempt, payload).await;
            posted(&context.input_now(), attempt, answer, rng).into()
        }
        (Action::Reconcile, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
            let listed = calls::list_for_reconciling(context).await;
            reconciled(&context.input_now(), attempt, listed, rng).into()
        }
        (Action::Poll, RunState::Polling { attempt, backup, accepted_at, status }) => {
            let answer = context.env.arm.get_backup(&run.app, *backup).await;
            let blobs = match counts_as_good(&context.input, attempt, *accepted_at, &answer) {
                Some(partial) => Some(calls::blobs(context, &partial).await),
                None => None,
            };
            let answer = PollAnswer { answer, blobs, accepted_at: *accepted_at, last_status: status };
            polled(&context.input_now(), attempt, answer, rng).into()
        }
        (Action::Verify, RunState::Verifying { attempt, backup: Some(backup), checks }) => {
            let blobs =
                if run.policy_snapshot.verify { Some(calls::blobs(context, backup).await) } else { None };
            let check = BlobCheck { blobs, orphans: calls::missing(context).await, checks: *checks };
            verified(&context.input_now(), attempt, backup, check, rng).into()
        }
        _ => StepPlan::NothingToDo,
    }
}

/// The result of a preparation.
enum Prepared {
    /// The attempt can begin.
    Ready(IntentFacts, RequestPayload),
    /// The backups of attempts that had ended as lost are in Azure's list after all.
    TurnedUp(Vec<FoundBackup>),
}

/// Looks for the backups of lost attempts, then obtains the SAS and the secrets of the next one.
async fn prepare(context: &StepContext<'_>, databases: &[DatabaseRef]) -> Result<Prepared, NotReady> {
    let found = calls::missing(context).await?;
    if !found.is_empty() {
        return Ok(Prepared::TurnedUp(found));
    }
    let databases = read_connection_strings(context, databases).await?;
    let grant = grant_sas(context, None).await?;
    let facts = IntentFacts::from(&grant);
    Ok(Prepared::Ready(facts, RequestPayload { storage_url: grant.url, databases, schedule: None }))
}

#[cfg(test)]
mod tests;
