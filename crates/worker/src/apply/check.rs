//! Azure says succeeded: is the backup really there?

use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, Outcome, Retry, RunEvent, Verification, retry_delay,
};
use holdfast_storage::BlobFacts;

use super::ending::{Failure, failed};
use super::{Found, Next, Sight};

/// Checks that may fail before the backup is taken as it is, marked as not verified.
const CHECKS: Retry = Retry::seconds(5, 5, 120);

/// What was found of a backup's blobs, and what else the run left behind.
#[derive(Debug)]
pub(crate) struct BlobCheck {
    /// The blob and the manifest beside it.
    pub blobs: Result<(Option<BlobFacts>, Option<BlobFacts>), holdfast_storage::Error>,
    /// Backups of attempts that had been given up as lost.
    pub orphans: Vec<Found>,
}

/// The blob was looked at, or could not be.
pub(crate) fn checked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    (backup, checks): (&BackupFacts, u32),
    check: BlobCheck,
    rng: &mut fastrand::Rng,
) -> Next {
    let mut next = match check.blobs {
        Ok((blob, manifest)) => match fault(sight, blob, manifest) {
            None => good(sight, backup, Verification::Verified),
            Some((cause, detail)) => {
                let status = Some(BackupStatus::Succeeded);
                failed(sight, attempt, Failure { status, cause, detail, backup: None }, rng)
            }
        },
        Err(error) if checks + 1 < CHECKS.attempts => {
            let pause = retry_delay(&CHECKS, checks + 1, rng);
            Next::new(vec![RunEvent::CheckFailed { detail: error.to_string() }], sight.now + pause)
        }
        Err(error) => {
            let mut next = good(sight, backup, Verification::Unreachable);
            next.events.insert(0, RunEvent::CheckFailed { detail: error.to_string() });
            next
        }
    };
    next.events.splice(0..0, check.orphans.into_iter().map(orphan));
    next
}

/// A backup that no attempt owns any more is recorded, so that retention knows it.
fn orphan(found: Found) -> RunEvent {
    RunEvent::OrphanFound { number: found.number, backup: found.backup.id, name: found.name }
}

fn good(sight: &Sight<'_>, backup: &BackupFacts, verification: Verification) -> Next {
    let ended = RunEvent::Ended {
        outcome: Outcome::Succeeded,
        cause: None,
        backup: Some(backup.clone()),
        verification: Some(verification),
    };
    Next::new(vec![ended], sight.now)
}

/// What is wrong with the blob, if anything.
fn fault(sight: &Sight<'_>, blob: Option<BlobFacts>, manifest: Option<BlobFacts>) -> Option<(Cause, String)> {
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
    let kept = u64::from(100_u8.saturating_sub(sight.run.terms.shrink_tolerance_percent));
    // In 128 bits, so that no size overflows.
    let shrunk = u128::from(blob.size_bytes) * 100 < u128::from(before) * u128::from(kept);
    shrunk.then(|| {
        let detail = format!(
            "the backup's blob has {} bytes, the last good one had {before}; the policy tolerates {} % less",
            blob.size_bytes, sight.run.terms.shrink_tolerance_percent
        );
        (Cause::BlobShrunk, detail)
    })
}
