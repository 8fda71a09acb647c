//! What is known of an attempt, of a backup, and of how a run ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;
use crate::{BackupId, BackupName, DatabaseFacts, Timestamp};

/// One attempt of a run: one request that makes Azure start an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// The unique name of what it creates.
    pub name: BackupName,
    /// When the intent was committed.
    pub begun_at: Timestamp,
    /// Fingerprint of the SAS it sends; empty when it sends none.
    pub sas: String,
    /// When that SAS expires, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sas_expiry: Option<Timestamp>,
    /// For a restore: the backup's `lastRestoreTimeStamp` before the attempt. A different value later means success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_before: Option<Timestamp>,
}

/// A backup of the catalog that a look did not find. The blob identifies it, because Azure reuses numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingBackup {
    /// Azure's number for it.
    pub id: BackupId,
    /// Its blob.
    pub blob: String,
}

/// The facts of a backup that Azure created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupFacts {
    /// Azure's number for it.
    pub id: BackupId,
    /// The blob in the container.
    pub blob: String,
    /// Its size, as Azure reports it.
    pub size_bytes: i64,
    /// When Azure accepted it.
    pub accepted_at: Timestamp,
    /// When Azure finished it.
    pub finished_at: Option<Timestamp>,
    /// The databases in it, as Azure reports them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<DatabaseFacts>,
}

impl BackupFacts {
    /// The name of the blob with the manifest, which a restore needs beside the archive.
    pub fn manifest(&self) -> String {
        format!("{}.xml", self.blob.trim_end_matches(".zip"))
    }
}

words! {
    /// How a run ended.
    pub enum Outcome {
        /// The task is done in full.
        Succeeded,
        /// The best attempt created a partial backup.
        Partial,
        /// Not done, and a retry cannot help.
        Failed,
        /// Not done after all attempts that the policy allows.
        Exhausted,
        /// Never started: a tick that was not run.
        Missed,
        /// A person ended it before Azure was asked.
        Cancelled,
    }
}

words! {
    /// What is known of a finished backup's blob.
    pub enum Verification {
        /// Blob and manifest exist, and the size is as expected.
        Verified,
        /// Not checked: the policy says that Holdfast cannot reach the storage.
        OutOfReach,
        /// Not checked: storage did not answer for hours.
        Unreachable,
        /// Not checked: storage refused Holdfast's requests for hours, or there was no usable SAS.
        Unusable,
    }
}
