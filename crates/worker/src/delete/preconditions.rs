//! Whether a backup may be deleted. Pure.

use holdfast_model::{Cause, Delete, RefreshReason, RunId, SasFacts};

use crate::ending::{refused, succeeded};
use crate::next::Next;
use crate::step_input::StepInput;

/// Whether the DELETE may be sent, by the catalog.
#[derive(Debug)]
pub(super) enum Precondition {
    /// It may be sent. Azure deletes with this SAS.
    Met(SasFacts),
    /// The SAS that Azure keeps with the backup must be replaced first.
    NeedsSas(RefreshReason, Option<SasFacts>),
    /// It must not be sent, or the backup is already deleted.
    Ended(Next),
}

/// What forbids a deletion outside of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Azure lists another backup under the id.
    Another,
    /// A run that has not ended restores the backup.
    Restored {
        /// The run.
        by: RunId,
    },
}

/// Checks the catalog. The planner checked holds and the last backup too; both may have changed since.
pub(super) fn precondition(input: &StepInput<'_>, delete: &Delete, rng: &mut fastrand::Rng) -> Precondition {
    let Some(entry) = input.subject else {
        let detail = format!("the catalog has no backup {}", delete.backup);
        return Precondition::Ended(refused(input, Cause::BackupNotFound, detail, rng));
    };
    let mut refuse = |detail| Precondition::Ended(refused(input, Cause::Protected, detail, rng));
    if entry.backup.blob != delete.blob {
        return refuse(format!("backup {} is now another one, {}", delete.backup, entry.backup.blob));
    }
    if entry.removal.is_some_and(|removal| removal.deleted) {
        return Precondition::Ended(succeeded(input, Vec::new()));
    }
    if let Some(reason) = &entry.hold {
        return refuse(format!("backup {} is held: {reason}", delete.backup));
    }
    if !delete.allow_last && input.is_last {
        let which = if entry.good { "the last good one" } else { "partial, and the last one" };
        return refuse(format!("backup {} of the app is {which}", delete.backup));
    }
    match &entry.sas {
        Some(sas) if is_usable(input, sas) => Precondition::Met(sas.clone()),
        old => Precondition::NeedsSas(RefreshReason::BeforeDelete, old.clone()),
    }
}

/// Whether the SAS is valid for longer than a deletion takes and no deletion failed with it.
///
/// Half of the deadline is enough, so that a SAS that was just issued for the whole deadline is not replaced again.
fn is_usable(input: &StepInput<'_>, sas: &SasFacts) -> bool {
    sas.window.covers(input.now, input.now + input.run.policy_snapshot.deadline / 2)
        && input.run.state.refused_sas() != Some(sas.fingerprint.as_str())
}

/// The DELETE must not be sent because of `obstacle`.
pub(super) fn kept(
    input: &StepInput<'_>,
    delete: &Delete,
    obstacle: Obstacle,
    rng: &mut fastrand::Rng,
) -> Next {
    let id = delete.backup;
    match obstacle {
        Obstacle::Another => {
            let detail = format!("azure lists another backup as {id}; {} no longer exists", delete.blob);
            refused(input, Cause::BackupNotFound, detail, rng)
        }
        Obstacle::Restored { by } => {
            refused(input, Cause::Protected, format!("run {by} restores backup {id}"), rng)
        }
    }
}
