//! The requests of a backup run.

use holdfast_arm::{Backup, BackupBody, Error, Operation, proves_absence};
use holdfast_model::{Attempt, BackupFacts, RunState};

use super::blobs::BackupBlobs;
use super::found::FoundBackup;
use crate::calls::with_timeout;
use crate::environment::Settings;
use crate::send_window::RequestPayload;
use crate::step_context::StepContext;

/// Sends the POST of an attempt.
pub(super) async fn post(
    context: &StepContext<'_>,
    attempt: &Attempt,
    payload: RequestPayload,
) -> Result<Backup, Error> {
    let RequestPayload { storage_url, databases, .. } = payload;
    let request = BackupBody { name: attempt.name.clone(), storage_url, databases };
    let answer = context.env.arm.backup(&context.run().app, &request);
    with_timeout(context, Operation::Backup, answer).await
}

/// Lists the backups of this run, the newest attempt's last.
///
/// The last look uses Azure's other list, so that no backup counts as absent because of one list alone.
pub(super) async fn list_for_reconciling(context: &StepContext<'_>) -> Result<Vec<FoundBackup>, Error> {
    let run = context.run();
    let looks = match run.state {
        RunState::Reconciling { absent, .. } => absent + 1,
        _ => 1,
    };
    let (operation, listed) = if looks < Settings::LOOKS {
        (Operation::ListBackups, context.env.arm.list_backups(&run.app).await?)
    } else {
        (Operation::ListSiteBackups, context.env.arm.list_site_backups(&run.app).await?)
    };
    let found = FoundBackup::of_run(run, &listed);
    if found.is_empty() {
        proves_absence(operation, &run.app, &listed)?;
    }
    Ok(found)
}

/// Lists the backups of attempts that ended as lost. Makes no request when there are no such attempts.
pub(super) async fn missing(context: &StepContext<'_>) -> Result<Vec<FoundBackup>, Error> {
    let run = context.run();
    let missing = &run.failure_counts.missing;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = FoundBackup::of_run(run, &context.env.arm.list_backups(&run.app).await?);
    found.retain(|found| missing.contains(&found.number));
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
