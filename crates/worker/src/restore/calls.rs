//! The requests of a restore run.

use holdfast_arm::{Backup, Error, ErrorKind, Operation, RestoreBody, Started};
use holdfast_model::{BackupStatus, Restore, Run, RunId, RunKind, Timestamp};
use holdfast_store::RunFilter;

use crate::calls::with_timeout;
use crate::look::{CallFailure, looked_into};
use crate::send_window::RequestPayload;
use crate::step_context::StepContext;

/// Sends the POST to the target app, or to the source where Azure creates the target.
pub(super) async fn send(
    context: &StepContext<'_>,
    restore: &Restore,
    payload: RequestPayload,
) -> Result<Started, CallFailure> {
    let (arm, app) = (&context.env.arm, &context.run().app);
    let RequestPayload { storage_url, databases, .. } = payload;
    let request = RestoreBody {
        storage_url,
        blob: restore.blob.clone(),
        target: app.clone(),
        overwrite: restore.new_in_plan.is_none(),
        plan: restore.new_in_plan.clone(),
        databases,
        ignore_databases: restore.ignore_databases,
        ignore_conflicting_host_names: restore.ignore_conflicting_host_names,
    };
    let to = if restore.new_in_plan.is_some() { &restore.source } else { app };
    let answer = match restore.backup {
        Some(id) => with_timeout(context, Operation::Restore, arm.restore(to, id, &request)).await,
        None => with_timeout(context, Operation::RestoreFromBlob, arm.restore_from_blob(to, &request)).await,
    };
    looked_into(context, answer).await
}

/// A backup that can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Restorable {
    /// When it was last restored, as Azure reports it.
    pub last_restored_at: Option<Timestamp>,
}

/// Finds the backup in its app's list; `None` when it is absent or being deleted.
///
/// A restore by blob alone makes no request: such a blob counts as never restored.
pub(super) async fn find(context: &StepContext<'_>, restore: &Restore) -> Result<Option<Restorable>, Error> {
    let Some(id) = restore.backup else { return Ok(Some(Restorable { last_restored_at: None })) };
    let listed = context.env.arm.list_backups(&restore.source).await?;
    let is_going =
        |backup: &Backup| matches!(backup.status, BackupStatus::DeleteInProgress | BackupStatus::Deleted);
    let found = listed.into_iter().find(|backup| backup.id == id && !is_going(backup));
    Ok(found.map(|backup| Restorable { last_restored_at: backup.restored }))
}

/// Finds the run for which Azure may be deleting the backup.
pub(super) async fn deletion_of(
    context: &StepContext<'_>,
    restore: &Restore,
) -> Result<Option<RunId>, holdfast_store::Error> {
    let filter = RunFilter { kind: Some(RunKind::Delete), unfinished: true, ..RunFilter::default() };
    let deletions = context.env.store.runs(&filter).await?;
    Ok(deletions.iter().find(|run| run.is_deleting(restore)).map(|run| run.id))
}

/// Asks whether any operation is in progress at the target app.
pub(super) async fn is_operation_under_way(
    context: &StepContext<'_>,
    restore: &Restore,
) -> Result<bool, Error> {
    match context.env.arm.site(&context.run().app).await {
        Ok(site) => Ok(site.operation.is_some()),
        // A new app exists only once it is restored.
        Err(error) if restore.new_in_plan.is_some() && *error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Most runs of each kind that [`restores`] reads.
const RESTORES_MAX: u32 = 1_000;

/// Reads the newest restores and drills of all apps.
pub(super) async fn restores(context: &StepContext<'_>) -> Result<Vec<Run>, holdfast_store::Error> {
    let mut restores = Vec::new();
    for kind in [RunKind::Restore, RunKind::Drill] {
        let filter = RunFilter { kind: Some(kind), most: RESTORES_MAX, ..RunFilter::default() };
        restores.extend(context.env.store.runs(&filter).await?);
    }
    Ok(restores)
}
