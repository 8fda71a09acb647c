//! Deletes a backup.

mod calls;
mod preconditions;
mod transitions;

use holdfast_model::{Delete, RunState};

use crate::calls::find_backup;
use crate::decide::{Action, decide};
use crate::intent::IntentFacts;
use crate::look::looked_into;
use crate::not_ready::{NotReady, stopped};
use crate::refresh_sas::replace_kept_sas;
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use preconditions::{Obstacle, Precondition, kept, precondition};
use transitions::{answered, polled};

/// One step of a deletion.
pub(crate) async fn step(
    context: &StepContext<'_>,
    delete: &Delete,
    window: Option<SendWindow>,
    rng: &mut fastrand::Rng,
) -> StepPlan {
    let run = context.run();
    match (decide(run, window), &run.state) {
        (Action::Prepare, _) => match check(context, delete, rng).await {
            Ok(Precondition::Met(sas)) => {
                let facts = IntentFacts { sas: Some(sas), ..IntentFacts::default() };
                context.begin_attempt(facts, RequestPayload::default(), rng)
            }
            Ok(Precondition::NeedsSas(reason, old)) => {
                replace_kept_sas(context, delete.backup, reason, old, rng).await.into()
            }
            Ok(Precondition::Ended(next)) => next.into(),
            Err(why) => stopped(context, why, rng).await.into(),
        },
        (Action::Send(window), RunState::Starting { attempt }) => {
            if window.redeem(&*context.env.clock).is_none() {
                return StepPlan::SendWindowLapsed;
            }
            let answer = calls::send(context, delete).await;
            answered(&context.input_now(), attempt, delete, answer, rng).into()
        }
        (
            Action::Reconcile | Action::Poll,
            RunState::Starting { attempt }
            | RunState::Reconciling { attempt, .. }
            | RunState::Polling { attempt, .. },
        ) => {
            let listed = looked_into(context, find_backup(context, delete.backup).await).await;
            polled(&context.input_now(), attempt, delete, listed, rng).into()
        }
        _ => StepPlan::NothingToDo,
    }
}

/// Checks the catalog, then the runs that have not ended, then Azure's list.
async fn check(
    context: &StepContext<'_>,
    delete: &Delete,
    rng: &mut fastrand::Rng,
) -> Result<Precondition, NotReady> {
    let precondition = precondition(&context.input, delete, rng);
    if matches!(precondition, Precondition::Ended(_)) {
        return Ok(precondition);
    }
    let obstacle = match calls::reader_of(context, delete).await? {
        Some(by) => Some(Obstacle::Restored { by }),
        None => find_backup(context, delete.backup)
            .await?
            .filter(|listed| !listed.is_stored_as(&delete.blob))
            .map(|_| Obstacle::Another),
    };
    Ok(match obstacle {
        Some(obstacle) => Precondition::Ended(kept(&context.input_now(), delete, obstacle, rng)),
        None => precondition,
    })
}

#[cfg(test)]
mod tests;
