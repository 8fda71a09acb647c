//! Restores: the POST, how far it is, and the trace that one leaves behind.

use holdfast_arm::{Backup, Error, ErrorKind, Operation, RestoreBody, Started};
use holdfast_model::{Attempt, BackupStatus, Cause, Restore, Run, RunId, RunKind, RunState, Timestamp};
use holdfast_store::RunFilter;

use super::in_time;
use crate::apply::Trace;
use crate::permit::Sends;
use crate::{Environment, Settings};

/// The POST. It goes to the target, which Azure restores into; to the source when the target is still to be made.
pub(crate) async fn restore(
    env: &Environment,
    settings: &Settings,
    (run, restore): (&Run, &Restore),
    sends: Sends,
) -> Result<Started, Error> {
    let Sends { storage_url, databases, .. } = sends;
    let request = RestoreBody {
        storage_url,
        blob: restore.blob.clone(),
        target: run.app.clone(),
        overwrite: restore.new_in_plan.is_none(),
        plan: restore.new_in_plan.clone(),
        databases,
        ignore_databases: restore.ignore_databases,
        ignore_conflicting_host_names: restore.ignore_conflicting_host_names,
    };
    let asked = if restore.new_in_plan.is_some() { &restore.source } else { &run.app };
    if let Some(id) = restore.backup {
        let answer = env.arm.restore(asked, id, &request);
        return in_time(settings.call_timeout, (Operation::Restore, &run.app), answer).await;
    }
    let answer = env.arm.restore_from_blob(asked, &request);
    in_time(settings.call_timeout, (Operation::RestoreFromBlob, &run.app), answer).await
}

/// When the backup was last restored; `None` when it is not in its app's list, or on its way out of it. A blob without
/// a backup was never restored as far as anybody can tell.
pub(crate) async fn restored(
    env: &Environment,
    restore: &Restore,
) -> Result<Option<Option<Timestamp>>, Error> {
    let Some(id) = restore.backup else { return Ok(Some(None)) };
    let listed = env.arm.list_backups(&restore.source).await?;
    let goes =
        |backup: &Backup| matches!(backup.status, BackupStatus::DeleteInProgress | BackupStatus::Deleted);
    Ok(listed.into_iter().find(|backup| backup.id == id && !goes(backup)).map(|backup| backup.restored))
}

/// The run for which Azure may be deleting the backup by now.
pub(crate) async fn deleted_by(
    env: &Environment,
    restore: &Restore,
) -> Result<Option<RunId>, holdfast_store::Error> {
    let kind = Some(RunKind::Delete);
    let deletions = env.store.runs(&RunFilter { kind, unfinished: true, ..RunFilter::default() }).await?;
    Ok(deletions.iter().find(|run| run.is_deleting(restore)).map(|run| run.id))
}

/// What is to be seen of a restore whose answer was lost.
pub(crate) async fn trace(
    env: &Environment,
    settings: &Settings,
    (run, attempt): (&Run, &Attempt),
    restore: &Restore,
) -> Result<Trace, Error> {
    let under_way = match env.arm.site(&run.app).await {
        Ok(site) => site.operation.is_some(),
        // A new app is there only once it is restored.
        Err(error) if restore.new_in_plan.is_some() && *error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if under_way {
        return Ok(Trace::UnderWay);
    }
    let (Some(_), Some(restored)) = (restore.backup, restored(env, restore).await?) else {
        return Ok(Trace::Unknowable);
    };
    if restored == attempt.restored_before {
        return Ok(Trace::Restored(restored));
    }
    Ok(match another_restored(env, settings, (run, attempt), restore).await {
        Ok(false) => Trace::Restored(restored),
        Ok(true) => Trace::Unknowable,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a restore's trace cannot be judged yet"
            );
            Trace::UnderWay
        }
    })
}

/// Restores looked through for one that left the same trace.
const OTHERS_MAX: u32 = 1_000;

/// May another run have restored the same backup, into whatever app, since the attempt began? The trace is the backup's,
/// and does not say which app it was restored into. One that ended a moment before counts too, because Azure may tell
/// late; and one that was given up with Azure still at work does whenever it ended.
async fn another_restored(
    env: &Environment,
    settings: &Settings,
    (run, attempt): (&Run, &Attempt),
    restore: &Restore,
) -> Result<bool, holdfast_store::Error> {
    let since = attempt.begun_at - settings.settle;
    for kind in [RunKind::Restore, RunKind::Drill] {
        let filter = RunFilter { kind: Some(kind), most: OTHERS_MAX, ..RunFilter::default() };
        let others = env.store.runs(&filter).await?;
        let is_same = |other: &Run| {
            other.id != run.id
                && (other.ended_at.is_none_or(|ended_at| ended_at >= since) || may_go_on(other))
                && other
                    .task
                    .restore()
                    .is_some_and(|other| (&other.source, &other.blob) == (&restore.source, &restore.blob))
        };
        if others.iter().any(is_same) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Was it given up without Azure's last word?
fn may_go_on(other: &Run) -> bool {
    let RunState::Ended { cause: Some(cause), .. } = &other.state else { return false };
    matches!(cause, Cause::DeadlinePassed | Cause::AnswerLost)
}
