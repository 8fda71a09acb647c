//! The requests of a deletion run.

use holdfast_arm::{Backup, Error, Operation};
use holdfast_model::{Delete, RunId, RunKind};
use holdfast_store::RunFilter;

use crate::calls::with_timeout;
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
