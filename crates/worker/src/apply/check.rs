//! Azure says succeeded: is the backup really there?

use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, DATABASES_END, DatabaseRef, Outcome, Retry, RunEvent, Task,
    Verification, retry_delay,
};
use holdfast_storage::BlobFacts;

use super::ending::{Failure, failed};
use super::look::orphan;
use super::{Found, Next, Sight};

/// Checks that may fail before the backup is taken as it is, marked as not verified.
const CHECKS: Retry = Retry::seconds(5, 5, 120);

/// The blob and the manifest beside it.
pub(crate) type Blobs = (Option<BlobFacts>, Option<BlobFacts>);

/// What was found of a backup's blobs, and what else the run left behind.
#[derive(Debug)]
pub(crate) struct BlobCheck {
    /// `None` where storage is out of our reach.
    pub blobs: Option<Result<Blobs, holdfast_storage::Error>>,
    /// Backups of attempts that had been given up as lost.
    pub orphans: Result<Vec<Found>, holdfast_arm::Error>,
}

/// The blob was looked at, or could not be.
pub(crate) fn checked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    (backup, checks): (&BackupFacts, u32),
    check: BlobCheck,
    rng: &mut fastrand::Rng,
) -> Next {
    let unknown = unknown(&check);
    let mut next = match check.blobs {
        _ if unknown.is_some() && checks + 1 < CHECKS.attempts => {
            Next::new(Vec::new(), sight.now + retry_delay(&CHECKS, checks + 1, rng))
        }
        None => good(sight, attempt, backup, Verification::OutOfReach, rng),
        Some(Err(_)) => good(sight, attempt, backup, Verification::Unreachable, rng),
        Some(Ok(blobs)) => match fault(sight, blobs) {
            None => good(sight, attempt, &measured(backup, blobs), Verification::Verified, rng),
            Some((cause, detail)) => {
                let (status, backup) = (Some(BackupStatus::Succeeded), left_behind(backup, blobs));
                failed(sight, attempt, Failure { status, cause, detail, backup }, rng)
            }
        },
    };
    let seen = check.orphans.unwrap_or_default().into_iter().map(orphan);
    let unknown = unknown.map(|detail| RunEvent::CheckFailed { detail });
    next.events.splice(0..0, seen.chain(unknown));
    next
}

/// The backup with the size that storage tells: the next one is held against it.
pub(super) fn measured(backup: &BackupFacts, (blob, _): Blobs) -> BackupFacts {
    let size = blob.and_then(|blob| i64::try_from(blob.size_bytes).ok());
    BackupFacts { size_bytes: size.unwrap_or(backup.size_bytes), ..backup.clone() }
}

/// What a backup that is not trusted leaves in storage, for retention to take away. Where that is nothing, it would only
/// stand as the last backup of an app that has no good one.
pub(super) fn left_behind(backup: &BackupFacts, blobs: Blobs) -> Option<BackupFacts> {
    blobs.0.is_some_and(|blob| blob.size_bytes > 0).then(|| measured(backup, blobs))
}

/// What could not be looked at, in words.
fn unknown(check: &BlobCheck) -> Option<String> {
    let storage = check.blobs.as_ref().and_then(|blobs| blobs.as_ref().err().map(ToString::to_string));
    storage.or_else(|| check.orphans.as_ref().err().map(ToString::to_string))
}

/// The backup is there. It is whole unless Azure left databases out.
pub(super) fn good(
    sight: &Sight<'_>,
    attempt: &Attempt,
    backup: &BackupFacts,
    verification: Verification,
    rng: &mut fastrand::Rng,
) -> Next {
    if let Some(detail) = left_out(&sight.run.task, backup) {
        let (status, backup) = (Some(BackupStatus::Succeeded), Some(backup.clone()));
        return failed(
            sight,
            attempt,
            Failure { status, cause: Cause::DatabasesDropped, detail, backup },
            rng,
        );
    }
    let ended = RunEvent::Ended {
        outcome: Outcome::Succeeded,
        cause: None,
        backup: Some(backup.clone()),
        verification: Some(verification),
    };
    Next::new(vec![ended], sight.now)
}

/// The databases that were asked for and are not in the backup, in words.
fn left_out(task: &Task, backup: &BackupFacts) -> Option<String> {
    let Task::Backup { databases } = task else { return None };
    let is_there = |database: &DatabaseRef| backup.databases.iter().any(|facts| database.is(facts));
    let missing: Vec<String> = databases
        .iter()
        .filter(|database| !is_there(database))
        .map(|database| format!("{} {}", database.kind, database.name))
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "azure made the backup without these databases: {}; it ends taking databases along on {DATABASES_END}",
            missing.join(", ")
        )
    })
}

/// What is wrong with the blob, if anything.
pub(super) fn fault(sight: &Sight<'_>, (blob, manifest): Blobs) -> Option<(Cause, String)> {
    let Some(blob) = blob else {
        return Some((Cause::BlobMissing, "the backup's blob is not in the container".to_owned()));
    };
    if blob.size_bytes == 0 {
        return Some((Cause::BlobEmpty, "the backup's blob is empty".to_owned()));
    }
    if manifest.is_none() {
        let detail = "the manifest (.xml) beside the backup's blob is not there, and a restore needs it";
        return Some((Cause::BlobMissing, detail.to_owned()));
    }
    let before = u64::try_from(sight.last_good_bytes?).ok()?;
    let kept = u64::from(100_u8.saturating_sub(sight.run.policy_snapshot.shrink_tolerance_percent));
    // In 128 bits, so that no size overflows.
    let shrunk = u128::from(blob.size_bytes) * 100 < u128::from(before) * u128::from(kept);
    shrunk.then(|| {
        let detail = format!(
            "the backup's blob has {} bytes, the last good one had {before}; the policy tolerates {} % less",
            blob.size_bytes, sight.run.policy_snapshot.shrink_tolerance_percent
        );
        (Cause::BlobShrunk, detail)
    })
}
