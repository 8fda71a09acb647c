//! Backups: the POST, the look for one whose answer was lost, the check of its blob.

use holdfast_arm::{Backup, BackupBody, Operation};
use holdfast_model::{Attempt, BackupFacts, BackupName, Run, RunState};

use super::in_time;
use crate::apply::{BlobCheck, Blobs, Found, Sight};
use crate::permit::Sends;
use crate::{Environment, Settings};

/// The POST.
pub(crate) async fn post(
    env: &Environment,
    settings: &Settings,
    run: &Run,
    attempt: &Attempt,
    sends: Sends,
) -> Result<Backup, holdfast_arm::Error> {
    let Sends { storage_url, databases, .. } = sends;
    let request = BackupBody { name: attempt.name.clone(), storage_url, databases };
    let answer = env.arm.backup(&run.app, &request);
    in_time(settings.call_timeout, (Operation::Backup, &run.app), answer).await
}

/// Every backup of this run that the app's list holds, the newest attempt's last. The last look asks the other way, so
/// that no backup counts as absent on the word of one list alone.
pub(crate) async fn look(env: &Environment, run: &Run) -> Result<Vec<Found>, holdfast_arm::Error> {
    let looks = match run.state {
        RunState::Reconciling { absent, .. } => absent + 1,
        _ => 1,
    };
    let listed = if looks < Settings::LOOKS {
        env.arm.list_backups(&run.app).await?
    } else {
        env.arm.list_site_backups(&run.app).await?
    };
    Ok(backups_of_run(run, &listed))
}

/// Those made by attempts that were given up as lost; nobody is asked when there are none.
pub(crate) async fn missing(env: &Environment, run: &Run) -> Result<Vec<Found>, holdfast_arm::Error> {
    if run.failure_counts.missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = backups_of_run(run, &env.arm.list_backups(&run.app).await?);
    found.retain(|found| run.failure_counts.missing.contains(&found.number));
    Ok(found)
}

/// The blob and the manifest beside it, where storage is in reach, and what else the run left behind.
pub(crate) async fn check(env: &Environment, sight: &Sight<'_>, backup: &BackupFacts) -> BlobCheck {
    let run = sight.run;
    let blobs = if run.policy_snapshot.verify { Some(blobs(env, sight, backup).await) } else { None };
    BlobCheck { blobs, orphans: missing(env, run).await }
}

/// The blob and the manifest beside it.
pub(crate) async fn blobs(
    env: &Environment,
    sight: &Sight<'_>,
    backup: &BackupFacts,
) -> Result<Blobs, holdfast_storage::Error> {
    let storage = &sight.run.policy_snapshot.storage;
    let blob = env.storage.blob(storage, &backup.blob, sight.now).await?;
    if blob.is_none() {
        return Ok((None, None));
    }
    Ok((blob, env.storage.blob(storage, &backup.manifest(), sight.now).await?))
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
