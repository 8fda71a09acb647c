//! Deletes a backup.

mod calls;
mod preconditions;
mod proof;
mod stand_ins;
mod transitions;

use holdfast_arm::Backup;
use holdfast_model::{Delete, RunState, Timestamp};

use crate::calls::find_backup;
use crate::decide::{Action, decide};
use crate::deferral::defer_unreachable;
use crate::intent::IntentFacts;
use crate::look::looked_into;
use crate::not_ready::{NotReady, stopped};
use crate::refresh_sas::replace_kept_sas;
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use preconditions::{Obstacle, Precondition, kept, precondition};
use transitions::{already_deleted, answered, polled};

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
            // The proof is old: what it saw may be gone.
            Ok((Precondition::Met(_), proved_at))
                if context.time.now() > proved_at + context.settings().post_within =>
            {
                let detail = "proving the backups that stand in took too long".to_owned();
                defer_unreachable(&context.input_now(), detail, rng).into()
            }
            Ok((Precondition::Met(sas), _)) => {
                let facts = IntentFacts { sas: Some(sas), ..IntentFacts::default() };
                context.begin_attempt(facts, RequestPayload::default(), rng)
            }
            Ok((Precondition::NeedsSas(reason, old), _)) => {
                let next = replace_kept_sas(context, delete.backup, reason, old, rng).await;
                match calls::earlier_deletion(context, delete, &next).await {
                    Ok(Some(by)) => already_deleted(&context.input_now(), delete, by).into(),
                    Ok(None) => next.into(),
                    Err(why) => stopped(context, why.into(), rng).await.into(),
                }
            }
            Ok((Precondition::Ended(next), _)) => next.into(),
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

/// Checks the catalog, then the runs that have not ended, then Azure's list, then the backups that stand in.
///
/// Also returns when the list was asked for.
async fn check(
    context: &StepContext<'_>,
    delete: &Delete,
    rng: &mut fastrand::Rng,
) -> Result<(Precondition, Timestamp), NotReady> {
    let precondition = precondition(&context.input, delete, rng);
    if matches!(precondition, Precondition::Ended(_)) {
        return Ok((precondition, context.input.now));
    }
    if let Some(by) = calls::reader_of(context, delete).await? {
        let kept = kept(&context.input_now(), delete, Obstacle::Restored { by }, rng);
        return Ok((Precondition::Ended(kept), context.input.now));
    }
    // The catalog is read before the list, so that what it has and the list has not is gone.
    let others = proof::read_others(context).await?;
    let asked_at = context.time.now();
    let listed = context.env.arm.list_backups(&context.run().app).await?;
    let is_another = |listed: &&Backup| listed.id == delete.backup && !listed.is_stored_as(&delete.blob);
    if listed.iter().any(|listed| is_another(&listed)) {
        let kept = kept(&context.input_now(), delete, Obstacle::Another, rng);
        return Ok((Precondition::Ended(kept), context.input.now));
    }
    let refusal = proof::refusal(context, delete, &others, listed, rng).await?;
    Ok((refusal.map_or(precondition, Precondition::Ended), asked_at))
}

#[cfg(test)]
mod tests;
