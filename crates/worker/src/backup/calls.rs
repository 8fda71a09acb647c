//! The requests of a backup run.

use holdfast_arm::{Backup, BackupBody, Error, ErrorKind, Operation};
use holdfast_model::{Attempt, BackupFacts, BackupId, Run, RunKind};
use holdfast_store::{CatalogFilter, RunFilter};

use super::blobs::BackupBlobs;
use super::found::{FoundBackup, may_be_nameless};
use crate::calls::with_timeout;
use crate::look::{AbsentByTwoLooks, CallFailure, list, looked_into};
use crate::not_ready::NotReady;
use crate::send_window::RequestPayload;
use crate::step_context::StepContext;

/// Sends the POST of an attempt.
pub(super) async fn post(
    context: &StepContext<'_>,
    attempt: &Attempt,
    payload: RequestPayload,
) -> Result<Backup, CallFailure> {
    let RequestPayload { storage_url, databases, .. } = payload;
    let request = BackupBody { name: attempt.name.clone(), storage_url, databases };
    let answer = context.env.arm.backup(&context.run().app, &request);
    looked_into(context, with_timeout(context, Operation::Backup, answer).await).await
}

/// Reads the backup of a poll. Where Azure answers 404, a list is a second kind of look.
pub(super) async fn progress(context: &StepContext<'_>, id: BackupId) -> Result<Backup, CallFailure> {
    let error = match context.env.arm.get_backup(&context.run().app, id).await {
        Err(error) if *error.kind() == ErrorKind::NotFound => error,
        answer => return answer.map_err(CallFailure::from),
    };
    let listed = looked_into(context, list(context).await).await?;
    let absent = Some(AbsentByTwoLooks::Backup);
    listed.into_iter().find(|backup| backup.id == id).ok_or(CallFailure { error, absent })
}

/// Lists the backups of this run, the newest attempt's last.
pub(super) async fn list_for_reconciling(
    context: &StepContext<'_>,
    attempt: &Attempt,
) -> Result<Vec<FoundBackup>, CallFailure> {
    let run = context.run();
    let listed = looked_into(context, list(context).await).await?;
    let found = FoundBackup::of_run(run, &listed);
    let is_found = found.iter().any(|found| found.name == attempt.name);
    if !is_found && listed.iter().any(|backup| may_be_nameless(attempt, backup)) {
        // The backup may be that element, so the attempt is not absent.
        let what = "an element of the list shows neither a name nor a blob";
        return Err(
            Error::new(Operation::ListBackups, run.app.short_name(), ErrorKind::Ambiguous, what).into()
        );
    }
    Ok(found)
}

/// Lists the backups of this run's attempts that ended unsettled. Makes no request when there are no such attempts.
pub(super) async fn missing(context: &StepContext<'_>) -> Result<Vec<FoundBackup>, Error> {
    let run = context.run();
    let missing = &run.failure_counts.missing;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = FoundBackup::of_run(run, &context.env.arm.list_backups(&run.app).await?);
    found.retain(|found| missing.get(&found.number) == Some(&found.name));
    Ok(found)
}

/// Newest backup runs of the app whose unsettled attempts a backup looks for.
const EARLIER_RUNS: u32 = 30;

/// Finds backups of attempts of the app's earlier runs that ended unsettled, as far as the catalog does not have them.
///
/// Makes no request when there are no such attempts. A list that fails stops no backup: the next one looks again.
pub(super) async fn late(context: &StepContext<'_>) -> Result<Vec<FoundBackup>, NotReady> {
    let (env, run) = (context.env, context.run());
    if !context.input.has_unsettled {
        return Ok(Vec::new());
    }
    let (app, kind) = (Some(run.app.clone()), Some(RunKind::Backup));
    let filter = RunFilter { app: app.clone(), kind, most: EARLIER_RUNS, ..RunFilter::default() };
    let earlier: Vec<Run> = env.store.runs(&filter).await?;
    let is_unsettled = |earlier: &&Run| {
        earlier.id != run.id && earlier.state.is_ended() && !earlier.failure_counts.missing.is_empty()
    };
    let unsettled: Vec<&Run> = earlier.iter().filter(is_unsettled).collect();
    if unsettled.is_empty() {
        return Ok(Vec::new());
    }
    let listed = match env.arm.list_backups(&run.app).await {
        Ok(listed) => listed,
        Err(error) => {
            tracing::info!(app = run.app.short_name(), %error, "failed to look for backups of earlier runs");
            return Ok(Vec::new());
        }
    };
    let mut found: Vec<FoundBackup> = Vec::new();
    for earlier in unsettled {
        let of_run = FoundBackup::of_run(earlier, &listed).into_iter();
        found.extend(
            of_run.filter(|found| earlier.failure_counts.missing.get(&found.number) == Some(&found.name)),
        );
    }
    if !found.is_empty() {
        let filter = CatalogFilter { app, with_removed: true, ..CatalogFilter::default() };
        let known = env.store.catalog(&filter).await?;
        found.retain(|found| !known.iter().any(|entry| found.backup.is(&entry.backup)));
    }
    Ok(found)
}

/// Reads the properties of a backup's archive and of the manifest beside it.
pub(super) async fn blobs(
    context: &StepContext<'_>,
    backup: &BackupFacts,
) -> Result<BackupBlobs, holdfast_storage::Error> {
    let (storage, now) = (&context.run().policy_snapshot.storage, context.input.now);
    let archive = context.env.storage.blob(storage, &backup.blob, now).await?;
    if archive.is_none() {
        return Ok(BackupBlobs { archive: None, manifest: None });
    }
    let manifest = context.env.storage.blob(storage, &backup.manifest(), now).await?;
    Ok(BackupBlobs { archive, manifest })
}
