//! The backup that is restored, as far as it is known.

use holdfast_model::{BackupFacts, BackupId, CatalogEntry, DatabaseFacts, StorageName, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A backup that may be restored, as the plan shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct RestoreSource {
    /// Azure's number; `None` for a blob that its list does not know.
    pub id: Option<BackupId>,
    /// The blob.
    pub blob: String,
    /// When Azure took it on.
    pub taken_at: Option<Timestamp>,
    /// Its size.
    pub size_bytes: Option<i64>,
    /// Whether it counts for the objective; `None` when Holdfast does not know it.
    pub good: Option<bool>,
    /// When it was last found whole.
    pub verified_at: Option<Timestamp>,
    /// Where it lies, where that is known.
    pub storage: Option<StorageName>,
    /// The databases in it.
    pub databases: Vec<DatabaseFacts>,
}

impl From<&CatalogEntry> for RestoreSource {
    fn from(entry: &CatalogEntry) -> Self {
        Self {
            good: Some(entry.good),
            verified_at: entry.verified_at,
            storage: Some(entry.storage.clone()),
            ..Self::unknown(entry.backup.clone())
        }
    }
}

impl RestoreSource {
    /// A backup that Azure lists and Holdfast does not know.
    pub fn unknown(backup: BackupFacts) -> Self {
        Self {
            id: Some(backup.id),
            blob: backup.blob,
            taken_at: Some(backup.accepted_at),
            size_bytes: Some(backup.size_bytes),
            good: None,
            verified_at: None,
            storage: None,
            databases: backup.databases,
        }
    }

    /// A blob of which only the name is known.
    pub fn blob(name: &str) -> Self {
        Self {
            id: None,
            blob: name.to_owned(),
            taken_at: None,
            size_bytes: None,
            good: None,
            verified_at: None,
            storage: None,
            databases: Vec::new(),
        }
    }

    /// The blob that a restore needs beside the archive.
    pub fn manifest(&self) -> String {
        format!("{}.xml", self.blob.trim_end_matches(".zip"))
    }
}
