//! Does the one thing that was decided, and tells what happened. No branch here decides anything about the run.

use holdfast_arm::{Backup, BackupRequest};
use holdfast_model::{Attempt, BackupFacts, BackupName, Run};
use holdfast_storage::{BlobFacts, Grant, Need};
use secrecy::SecretString;

use crate::Seams;
use crate::apply::{BlobCheck, Found, Sight};

/// The right to POST once, held from the commit of the intent until `until` by the clock's `elapsed`.
#[derive(Debug)]
pub(crate) struct Permit {
    /// Past this the worker was paused for too long: by now others may look for the backup, and POST again.
    pub until: std::time::Duration,
    /// The container with its SAS.
    pub storage_url: SecretString,
}

/// A SAS for the next attempt; and the backup of an earlier attempt that was given up as lost, should it have
/// turned up after all.
pub(crate) async fn prepare(
    seams: &Seams,
    sight: &Sight<'_>,
) -> Result<Result<Grant, Found>, crate::apply::NotReady> {
    if !sight.run.tally.missing.is_empty() {
        if let Some(found) = missing(sight.run, look(seams, sight.run).await?).pop() {
            return Ok(Err(found));
        }
    }
    let need = Need {
        now: sight.now,
        until: sight.now + sight.run.terms.deadline,
        replace: sight.run.state.refused_sas().map(ToOwned::to_owned),
    };
    let grant = seams.storage.grant(&sight.run.terms.storage, &need).await?;
    for warning in &grant.warnings {
        tracing::warn!(storage = %sight.run.terms.storage, "{warning}");
    }
    Ok(Ok(grant))
}

/// The POST; `None` when the permit has lapsed and nothing was sent.
pub(crate) async fn post(
    seams: &Seams,
    run: &Run,
    attempt: &Attempt,
    permit: Permit,
) -> Option<Result<Backup, holdfast_arm::Error>> {
    if seams.clock.elapsed() >= permit.until {
        return None;
    }
    let request =
        BackupRequest { name: attempt.name.clone(), storage_url: permit.storage_url, databases: Vec::new() };
    Some(seams.arm.backup(&run.app, &request).await)
}

/// Every backup of this run that the app's list holds, the newest attempt's last.
pub(crate) async fn look(seams: &Seams, run: &Run) -> Result<Vec<Found>, holdfast_arm::Error> {
    Ok(backups_of_run(run, &seams.arm.list_backups(&run.app).await?))
}

/// Those made by attempts that were given up as lost.
fn missing(run: &Run, mut found: Vec<Found>) -> Vec<Found> {
    found.retain(|found| run.tally.missing.contains(&found.number));
    found
}

/// The blob and the manifest beside it, and, where an attempt was given up as lost, what else the run left behind.
pub(crate) async fn check(seams: &Seams, run: &Run, backup: &BackupFacts) -> BlobCheck {
    let storage = &run.terms.storage;
    let manifest = format!("{}.xml", backup.blob.trim_end_matches(".zip"));
    let blobs: Result<(Option<BlobFacts>, Option<BlobFacts>), holdfast_storage::Error> = async {
        let blob = seams.storage.blob(storage, &backup.blob).await?;
        let manifest = if blob.is_some() { seams.storage.blob(storage, &manifest).await? } else { None };
        Ok((blob, manifest))
    }
    .await;
    let listed = if run.tally.missing.is_empty() { Vec::new() } else { look(seams, run).await.unwrap_or_default() };
    BlobCheck { blobs, orphans: missing(run, listed) }
}

/// Listed backups whose names only an attempt of this run can bear.
fn backups_of_run(run: &Run, listed: &[Backup]) -> Vec<Found> {
    let prefix = BackupName::of_run(&run.app, run.id);
    let mut found: Vec<Found> = listed
        .iter()
        .filter_map(|backup| {
            let name = backup.name.as_deref()?;
            let number = name.strip_prefix(&prefix)?.parse().ok()?;
            Some(Found { number, name: BackupName::new(name), backup: backup.clone() })
        })
        .collect();
    found.sort_by_key(|found| found.number);
    found
}
