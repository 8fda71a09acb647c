//! Judges a backup by what was observed. Only certain absence is a loss.

use holdfast_model::{BackupFacts, BackupStatus};
use serde::ser::{SerializeStruct as _, Serializer};
use serde::{Deserialize, Serialize};

use crate::Backup;

/// The result of verifying a backup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum VerifyResult {
    /// It exists and is whole.
    Verified {
        /// The blob's size; `None` where storage is out of reach.
        size_bytes: Option<i64>,
    },
    /// It does not exist, or is not whole.
    Lost {
        /// What is missing.
        detail: String,
    },
    /// It could not be checked.
    Unchecked {
        /// Why.
        detail: String,
    },
}

impl Serialize for VerifyResult {
    /// Every variant has the same keys; a missing value is `null`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (result, size_bytes, detail) = match self {
            Self::Verified { size_bytes } => ("verified", *size_bytes, None),
            Self::Lost { detail } => ("lost", None, Some(detail)),
            Self::Unchecked { detail } => ("unchecked", None, Some(detail)),
        };
        let mut keys = serializer.serialize_struct("VerifyResult", 3)?;
        keys.serialize_field("result", result)?;
        keys.serialize_field("size_bytes", &size_bytes)?;
        keys.serialize_field("detail", &detail)?;
        keys.end()
    }
}

/// The sizes of a backup's blobs in bytes; `None` for a blob that is not in the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobSizes {
    /// The archive (`.zip`).
    pub archive: Option<u64>,
    /// The manifest beside it (`.xml`), which a restore needs.
    pub manifest: Option<u64>,
}

/// What was observed of one backup.
#[derive(Debug, Default)]
pub struct Observation<'a> {
    /// Azure's entry; `None` when neither of its lists has one.
    pub listed: Option<&'a Backup>,
    /// Why the second list could not be read.
    pub doubt: Option<String>,
    /// Whether Holdfast is deleting it.
    pub is_being_deleted: bool,
    /// Its blobs, or why they could not be read; `None` where storage is out of reach.
    pub blobs: Option<Result<BlobSizes, String>>,
}

/// Judges a backup by what was observed of it.
pub fn judge(backup: &BackupFacts, observed: &Observation<'_>) -> VerifyResult {
    let unchecked = |detail: &str| VerifyResult::Unchecked { detail: detail.to_owned() };
    let lost = |detail: String| VerifyResult::Lost { detail };
    let is_going = |listed: &Backup| listed.status == BackupStatus::DeleteInProgress;
    if observed.is_being_deleted || observed.listed.is_some_and(is_going) {
        return unchecked("it is being deleted");
    }
    // The catalog also has backups for which a run stopped waiting while Azure was still writing them.
    if let Some(listed) = observed.listed.filter(|listed| is_unmade(&listed.status)) {
        return unchecked(&format!("azure calls it {}", listed.status));
    }
    let blobs = match &observed.blobs {
        Some(Err(error)) if observed.listed.is_some() => return unchecked(error),
        Some(Ok(blobs)) => Some(blobs),
        Some(Err(_)) | None => None,
    };
    if observed.listed.is_none() {
        return match (&observed.doubt, blobs) {
            (Some(doubt), _) => unchecked(doubt),
            (None, Some(BlobSizes { archive: Some(_), .. })) => {
                lost("azure no longer lists it; its blob is still there".to_owned())
            }
            (None, _) => lost("azure no longer lists it".to_owned()),
        };
    }
    let Some(BlobSizes { archive, manifest }) = blobs else {
        return VerifyResult::Verified { size_bytes: None };
    };
    let Some(size) = *archive else {
        return lost("its blob is not in the container".to_owned());
    };
    if size == 0 {
        return lost("its blob is empty".to_owned());
    }
    // The size of a backup that a failed attempt left behind is unknown.
    if backup.size_bytes > 0 && u64::try_from(backup.size_bytes).ok() != Some(size) {
        return lost(format!("its blob has {size} bytes and had {}", backup.size_bytes));
    }
    if manifest.is_none() {
        return lost("the manifest (.xml) beside its blob is not there, and a restore needs it".to_owned());
    }
    VerifyResult::Verified { size_bytes: i64::try_from(size).ok() }
}

/// Whether a backup of this status was not written, or not yet.
fn is_unmade(status: &BackupStatus) -> bool {
    use BackupStatus as S;
    matches!(status, S::Created | S::InProgress | S::Failed | S::TimedOut | S::Skipped)
}

#[cfg(test)]
mod tests;
