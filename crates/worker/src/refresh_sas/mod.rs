//! Replaces the SAS that Azure keeps with a backup. One step, because repeating it is harmless.

mod calls;
mod replacement;
mod transitions;

use holdfast_model::{BackupId, Cause, RefreshReason, RefreshSas, SasFacts};

use crate::calls::find_backup;
use crate::decide::{Action, decide};
use crate::ending::refused;
use crate::next::Next;
use crate::not_ready::{NotReady, stopped};
use crate::step_context::StepContext;
use crate::step_plan::StepPlan;
use transitions::replaced;

/// The step of a refresh.
pub(crate) async fn step(
    context: &StepContext<'_>,
    refresh: &RefreshSas,
    rng: &mut fastrand::Rng,
) -> StepPlan {
    if !matches!(decide(context.run(), None), Action::Prepare) {
        return StepPlan::NothingToDo;
    }
    let RefreshSas { backup, reason, old } = refresh.clone();
    let is_another = |listed: &holdfast_arm::Backup| {
        context.input.subject.is_some_and(|entry| !listed.is_stored_as(&entry.backup.blob))
    };
    match find_backup(context, backup).await {
        Ok(Some(listed)) if !is_another(&listed) => {
            replace_kept_sas(context, backup, reason, old, rng).await.into()
        }
        Ok(_) => {
            let detail = format!("azure's list no longer has backup {backup}");
            refused(&context.input_now(), Cause::BackupNotFound, detail, rng).into()
        }
        Err(error) => stopped(context, NotReady::Arm(error), rng).await.into(),
    }
}

/// Replaces the SAS that Azure keeps with a backup, for a refresh or before a deletion. `old` is the SAS to replace.
pub(crate) async fn replace_kept_sas(
    context: &StepContext<'_>,
    backup: BackupId,
    reason: RefreshReason,
    old: Option<SasFacts>,
    rng: &mut fastrand::Rng,
) -> Next {
    match calls::replace(context, backup, reason, old).await {
        Ok(replacement) => replaced(&context.input_now(), replacement, rng),
        Err(why) => stopped(context, why, rng).await,
    }
}

#[cfg(test)]
mod tests;
