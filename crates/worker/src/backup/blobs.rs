//! The blobs of a backup, and what is wrong with them. Pure.

use holdfast_model::{BackupFacts, Cause};
use holdfast_storage::BlobFacts;

use super::found::FoundBackup;
use crate::step_input::StepInput;

/// The properties of a backup's blobs; `None` for a blob that is not in the container.
#[derive(Debug, Clone, Copy)]
pub(super) struct BackupBlobs {
    /// The archive (`.zip`).
    pub archive: Option<BlobFacts>,
    /// The manifest beside it (`.xml`).
    pub manifest: Option<BlobFacts>,
}

/// A backup to verify.
#[derive(Debug, Clone, Copy)]
pub(super) struct MadeBackup<'a> {
    /// The backup.
    pub backup: &'a BackupFacts,
    /// Azure's log, where Azure reports that files are missing from it.
    pub partial_log: Option<&'a str>,
}

/// What the verification of a backup found.
#[derive(Debug)]
pub(super) struct BlobCheck {
    /// The blobs; `None` where the policy says that Holdfast cannot reach the storage.
    pub blobs: Option<Result<BackupBlobs, holdfast_storage::Error>>,
    /// Backups of attempts that had ended as lost.
    pub orphans: Result<Vec<FoundBackup>, holdfast_arm::Error>,
    /// Failed verifications before this one.
    pub checks: u32,
}

/// A fault of a backup's blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlobFault {
    pub cause: Cause,
    pub detail: String,
}

impl BackupBlobs {
    /// The backup with the size that storage reports: the next backup is compared with it.
    pub fn measured(&self, backup: &BackupFacts) -> BackupFacts {
        let size = self.archive.and_then(|archive| i64::try_from(archive.size_bytes).ok());
        BackupFacts { size_bytes: size.unwrap_or(backup.size_bytes), ..backup.clone() }
    }

    /// What a faulty backup leaves in storage, for retention to delete. `None` for a missing or empty archive: it would
    /// only count as the last backup of an app that has no good one.
    pub fn left_behind(&self, backup: &BackupFacts) -> Option<BackupFacts> {
        self.archive.is_some_and(|archive| archive.size_bytes > 0).then(|| self.measured(backup))
    }

    /// The fault of the blobs, if any.
    pub fn fault(&self, input: &StepInput<'_>) -> Option<BlobFault> {
        let missing = |detail: &str| Some(BlobFault { cause: Cause::BlobMissing, detail: detail.to_owned() });
        let Some(archive) = self.archive else {
            return missing("the backup's blob is not in the container");
        };
        if archive.size_bytes == 0 {
            let detail = "the backup's blob is empty".to_owned();
            return Some(BlobFault { cause: Cause::BlobEmpty, detail });
        }
        if self.manifest.is_none() {
            return missing(
                "the manifest (.xml) beside the backup's blob is not in the container, and a restore needs it",
            );
        }
        let last = u64::try_from(input.last_good_bytes?).ok()?;
        let tolerance = input.run.policy_snapshot.shrink_tolerance_percent;
        let kept = u64::from(100_u8.saturating_sub(tolerance));
        // In 128 bits, so that no size overflows.
        let shrunk = u128::from(archive.size_bytes) * 100 < u128::from(last) * u128::from(kept);
        shrunk.then(|| BlobFault {
            cause: Cause::BlobShrunk,
            detail: format!(
                "the backup's blob has {} bytes, the last good one had {last}; the policy tolerates {tolerance} % less",
                archive.size_bytes
            ),
        })
    }
}
