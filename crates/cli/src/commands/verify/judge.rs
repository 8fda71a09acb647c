//! What a look at a backup means. Only certain absence is a loss.

use holdfast_arm::Backup;
use holdfast_model::{BackupFacts, BackupStatus};
use holdfast_storage::BlobFacts;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

/// What became of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyResult {
    /// It is there.
    Verified {
        /// The blob's size; `None` where storage is out of reach.
        size_bytes: Option<i64>,
    },
    /// It is not there, or not whole.
    Lost {
        /// What is missing.
        detail: String,
    },
    /// Nobody could tell.
    Unchecked {
        /// Why.
        detail: String,
    },
}

impl Serialize for VerifyResult {
    /// With all keys, whichever it is: what it does not say is `null`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (verdict, size_bytes, detail) = match self {
            Self::Verified { size_bytes } => ("verified", *size_bytes, None),
            Self::Lost { detail } => ("lost", None, Some(detail)),
            Self::Unchecked { detail } => ("unchecked", None, Some(detail)),
        };
        let mut keys = serializer.serialize_struct("VerifyResult", 3)?;
        keys.serialize_field("verdict", verdict)?;
        keys.serialize_field("size_bytes", &size_bytes)?;
        keys.serialize_field("detail", &detail)?;
        keys.end()
    }
}

/// The blob and the manifest beside it.
pub type Blobs = (Option<BlobFacts>, Option<BlobFacts>);

/// What was seen of one backup.
#[derive(Debug, Default)]
pub struct Observation<'a> {
    /// What Azure has of it; `None` when neither of its lists has it.
    pub listed: Option<&'a Backup>,
    /// Why the second list could not be had.
    pub doubt: Option<String>,
    /// Whether Holdfast is deleting it.
    pub is_being_deleted: bool,
    /// Its blobs, where storage is in reach, or why they could not be looked at.
    pub blobs: Option<Result<Blobs, String>>,
}

/// Judges a backup by what was seen of it.
pub fn judge(backup: &BackupFacts, sight: &Observation<'_>) -> VerifyResult {
    let unchecked = |detail: &str| VerifyResult::Unchecked { detail: detail.to_owned() };
    let lost = |detail: String| VerifyResult::Lost { detail };
    let is_going = |listed: &Backup| listed.status == BackupStatus::DeleteInProgress;
    if sight.is_being_deleted || sight.listed.is_some_and(is_going) {
        return unchecked("it is being deleted");
    }
    // What a run no longer waited for is in the catalog, whatever comes of it.
    if let Some(listed) = sight.listed.filter(|listed| is_unmade(&listed.status)) {
        return unchecked(&format!("azure calls it {}", listed.status));
    }
    let blobs = match &sight.blobs {
        Some(Err(error)) if sight.listed.is_some() => return unchecked(error),
        Some(Ok(blobs)) => Some(blobs),
        Some(Err(_)) | None => None,
    };
    if sight.listed.is_none() {
        return match (&sight.doubt, blobs) {
            (Some(doubt), _) => unchecked(doubt),
            (None, Some((Some(_), _))) => {
                lost("azure no longer lists it; its blob is still there".to_owned())
            }
            (None, _) => lost("azure no longer lists it".to_owned()),
        };
    }
    let Some((blob, manifest)) = blobs else { return VerifyResult::Verified { size_bytes: None } };
    let Some(size) = blob.map(|blob| blob.size_bytes) else {
        return lost("its blob is not in the container".to_owned());
    };
    if size == 0 {
        return lost("its blob is empty".to_owned());
    }
    // Of a backup that an attempt left behind the size was never known.
    if backup.size_bytes > 0 && u64::try_from(backup.size_bytes).ok() != Some(size) {
        return lost(format!("its blob has {size} bytes and had {}", backup.size_bytes));
    }
    if manifest.is_none() {
        return lost("the manifest (.xml) beside its blob is not there, and a restore needs it".to_owned());
    }
    VerifyResult::Verified { size_bytes: i64::try_from(size).ok() }
}

/// Not made, or not yet.
fn is_unmade(status: &BackupStatus) -> bool {
    use BackupStatus as S;
    matches!(status, S::Created | S::InProgress | S::Failed | S::TimedOut | S::Skipped)
}

#[cfg(test)]
mod tests;
