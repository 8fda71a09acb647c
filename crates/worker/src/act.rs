//! Does the one thing that was decided, and tells what happened. No branch here decides anything about the run.

use std::time::Duration;

use holdfast_arm::{Backup, BackupRequest, Operation, Verdict};
use holdfast_model::{Attempt, BackupFacts, BackupName, Clock, Run, Timestamp};
use holdfast_storage::{Grant, Need};
use secrecy::SecretString;

use crate::Seams;
use crate::apply::{BlobCheck, Blobs, Found, NotReady, Sight};

/// The right to POST once, held for a short while from before the commit of the intent. Past it the worker was paused
/// for too long: by now others may look for the backup, and POST again.
#[derive(Debug)]
pub(crate) struct Permit {
    /// By the clock's `elapsed`, which nobody sets but which stands still while a machine sleeps.
    until_elapsed: Duration,
    /// By the wall time, which goes on while a machine sleeps.
    until: Timestamp,
    /// The container with its SAS.
    storage_url: SecretString,
}

impl Permit {
    /// A permit for `within` from now.
    pub fn new(clock: &dyn Clock, within: Duration, storage_url: SecretString) -> Self {
        Self { until_elapsed: clock.elapsed() + within, until: clock.now() + within, storage_url }
    }

    fn holds(&self, clock: &dyn Clock) -> bool {
        clock.elapsed() < self.until_elapsed && clock.now() < self.until
    }
}

/// A SAS for the next attempt; or the backups of earlier attempts that were given up as lost, should any have turned
/// up after all.
pub(crate) async fn prepare(seams: &Seams, sight: &Sight<'_>) -> Result<Result<Grant, Vec<Found>>, NotReady> {
    let turned_up = missing(seams, sight.run).await?;
    if !turned_up.is_empty() {
        return Ok(Err(turned_up));
    }
    let need = Need {
        now: sight.now,
        until: sight.now + sight.run.terms.deadline,
        replace: sight.run.state.refused_sas().map(ToOwned::to_owned),
        reason: None,
    };
    let grant = seams.storage.grant(&sight.run.terms.storage, &need).await?;
    for warning in &grant.warnings {
        tracing::warn!(storage = %sight.run.terms.storage, "{warning}");
    }
    Ok(Ok(grant))
}

/// The POST; `None` when the permit has lapsed and nothing was sent. An answer that takes longer than `timeout` counts
/// as lost: after that the intent is no longer left alone.
pub(crate) async fn post(
    seams: &Seams,
    run: &Run,
    attempt: &Attempt,
    permit: Permit,
    timeout: Duration,
) -> Option<Result<Backup, holdfast_arm::Error>> {
    if !permit.holds(&*seams.clock) {
        return None;
    }
    let request =
        BackupRequest { name: attempt.name.clone(), storage_url: permit.storage_url, databases: Vec::new() };
    let answer = tokio::time::timeout(timeout, seams.arm.backup(&run.app, &request)).await;
    Some(answer.unwrap_or_else(|_| {
        let what = format!("no answer within {} s", timeout.as_secs());
        Err(holdfast_arm::Error::new(Operation::Backup, run.app.short_name(), Verdict::Ambiguous, &what))
    }))
}

/// Every backup of this run that the app's list holds, the newest attempt's last.
pub(crate) async fn look(seams: &Seams, run: &Run) -> Result<Vec<Found>, holdfast_arm::Error> {
    Ok(backups_of_run(run, &seams.arm.list_backups(&run.app).await?))
}

/// Those made by attempts that were given up as lost; nobody is asked when there are none.
async fn missing(seams: &Seams, run: &Run) -> Result<Vec<Found>, holdfast_arm::Error> {
    if run.tally.missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = look(seams, run).await?;
    found.retain(|found| run.tally.missing.contains(&found.number));
    Ok(found)
}

/// The blob and the manifest beside it, where storage is in reach, and what else the run left behind.
pub(crate) async fn check(seams: &Seams, run: &Run, backup: &BackupFacts) -> BlobCheck {
    let blobs = if run.terms.verify { Some(blobs(seams, run, backup).await) } else { None };
    BlobCheck { blobs, orphans: missing(seams, run).await }
}

async fn blobs(seams: &Seams, run: &Run, backup: &BackupFacts) -> Result<Blobs, holdfast_storage::Error> {
    let storage = &run.terms.storage;
    let blob = seams.storage.blob(storage, &backup.blob).await?;
    if blob.is_none() {
        return Ok((None, None));
    }
    let manifest = format!("{}.xml", backup.blob.trim_end_matches(".zip"));
    Ok((blob, seams.storage.blob(storage, &manifest).await?))
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
