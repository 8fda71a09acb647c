//! The requests of a deletion run.

use holdfast_arm::{Backup, Error, Operation};
use holdfast_model::{Cause, Delete, Outcome, Run, RunEvent, RunId, RunKind};
use holdfast_store::RunFilter;

use crate::calls::with_timeout;
use crate::deletions::{is_deletion_of, open_deletions};
use crate::next::Next;
use crate::step_context::StepContext;

/// Sends the DELETE.
pub(super) async fn send(context: &StepContext<'_>, delete: &Delete) -> Result<Option<Backup>, Error> {
    let answer = context.env.arm.delete_backup(&context.run().app, delete.backup);
    with_timeout(context, Operation::DeleteBackup, answer).await
}

/// Finds a restore or drill that has not ended and reads the backup. It may have begun after the deletion was planned.
pub(super) async fn reader_of(
    context: &StepContext<'_>,
    delete: &Delete,
) -> Result<Option<RunId>, holdfast_store::Error> {
    for kind in [RunKind::Restore, RunKind::Drill] {
        let filter = RunFilter { kind: Some(kind), unfinished: true, ..RunFilter::default() };
        let others = context.env.store.runs(&filter).await?;
        if let Some(reader) = others.iter().find(|other| other.reads(&context.run().app, delete)) {
            return Ok(Some(reader.id));
        }
    }
    Ok(None)
}

/// Where `next` ends because Azure does not know the backup: the earlier deletion of it that may have taken effect.
pub(super) async fn earlier_deletion(
    context: &StepContext<'_>,
    delete: &Delete,
    next: &Next,
) -> Result<Option<RunId>, holdfast_store::Error> {
    let gone = Some(Cause::BackupNotFound);
    let is_end = |event: &RunEvent| matches!(event, RunEvent::Ended { outcome: Outcome::Failed, cause, .. } if *cause == gone);
    if !next.events.iter().any(is_end) {
        return Ok(None);
    }
    let own = context.run().id;
    let is_earlier = |run: &Run| run.id != own && is_deletion_of(run, delete.backup, &delete.blob);
    Ok(open_deletions(context, is_earlier).await?.first().map(|run| run.id))
}
