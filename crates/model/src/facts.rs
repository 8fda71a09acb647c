//! What is known of an attempt, of a backup, and of how a run ended.

use serde::{Deserialize, Serialize};

use crate::{BackupId, BackupName, DatabaseFacts, Timestamp};

/// One try of a run: one request that makes Azure do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// The name that what it makes bears, and nothing else.
    pub name: BackupName,
    /// When the intent was committed.
    pub begun_at: Timestamp,
    /// The fingerprint of the SAS it sends; empty when it sends none.
    pub sas: String,
    /// When that SAS lapses, as far as it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sas_expiry: Option<Timestamp>,
    /// When the backup to restore had last been restored, before a restore's attempt: another time is its success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_before: Option<Timestamp>,
}

/// What is known of a backup that Azure made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFacts {
    /// Azure's number for it.
    pub id: BackupId,
    /// The blob in the container.
    pub blob: String,
    /// Its size, as Azure tells it.
    pub size_bytes: i64,
    /// When Azure accepted it.
    pub accepted_at: Timestamp,
    /// When Azure finished it.
    pub finished_at: Option<Timestamp>,
    /// The databases in it, as Azure tells them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<DatabaseFacts>,
}

impl BackupFacts {
    /// The blob that a restore needs beside the archive.
    pub fn manifest(&self) -> String {
        format!("{}.xml", self.blob.trim_end_matches(".zip"))
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done: a whole backup, a restore, whatever was asked.
    Succeeded,
    /// A backup with something missing, and no better one.
    Partial,
    /// Not done, and trying again cannot help.
    Failed,
    /// Not done after all attempts the policy allows.
    Exhausted,
    /// Never begun: the tick was not run.
    Missed,
}

impl Outcome {
    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Exhausted => "exhausted",
            Self::Missed => "missed",
        }
    }
}

/// What is known of a finished backup's blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Blob and manifest are there, and the size is right.
    Verified,
    /// The policy says that storage is out of our reach.
    OutOfReach,
    /// Storage did not answer in several tries.
    Unreachable,
}
