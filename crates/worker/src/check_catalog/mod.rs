//! Compares the catalog with what Azure and storage have of an app.

mod calls;
mod changed;
mod compare;
mod facts;
mod known;
mod observed;
mod schedule;
mod selection;
mod transitions;

use holdfast_model::{DatabaseRef, NativeSchedule};

use crate::decide::{Action, decide};
use crate::not_ready::NotReady;
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use compare::compare;
use observed::Observed;
use transitions::{Comparison, compared, not_compared};

/// One look at the app's backups. Backups that it misses are looked for again in a later step.
pub(crate) async fn step(
    context: &StepContext<'_>,
    schedule: Option<&NativeSchedule>,
    databases: &[DatabaseRef],
    rng: &mut fastrand::Rng,
) -> StepPlan {
    let is_first = match decide(context.run(), None) {
        Action::Prepare => true,
        Action::Compare => false,
        _ => return StepPlan::NothingToDo,
    };
    match look(context, is_first.then_some((schedule, databases))).await {
        Ok(comparison) => compared(&context.input_now(), comparison, rng).into(),
        Err(why) => not_compared(&context.input_now(), &why, rng).into(),
    }
}

/// Reads the store, then Azure, then storage: what the store has and Azure has not is gone.
///
/// `wanted` is the schedule and the databases to compare Azure's own schedule with; `None` compares none.
async fn look(
    context: &StepContext<'_>,
    wanted: Option<(Option<&NativeSchedule>, &[DatabaseRef])>,
) -> Result<Comparison, NotReady> {
    let mut known = calls::read_known(context).await?;
    let listed = calls::list(context, &known).await?;
    calls::read_about_unknown(context, &mut known, &listed).await?;
    let schedule = match wanted {
        Some((schedule, databases)) => calls::compare_schedule(context, schedule, databases).await?,
        None => None,
    };
    let blobs = calls::read_blobs(context, &known).await;
    let containers = calls::containers(context, &known);
    let observed = Observed { listed, blobs: blobs.sizes, containers };
    let findings = compare(&context.input_now(), &known, &observed);
    Ok(Comparison { findings, schedule, deletions: known.deletions, storage_error: blobs.error })
}

#[cfg(test)]
mod tests;
