//! One backup of an inventory as programs and people see it.

use std::borrow::Cow;

use holdfast_model::{CatalogEntry, DatabaseFacts, Origin, Removal, RunId, SasFacts, StorageName, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::item::{Item, MadeBy, Presence};
use super::problem::BackupProblem;

/// One backup, without any secret.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = Backup)]
pub struct BackupView {
    /// Azure's number for it.
    pub backup_id: i64,
    /// Azure's name for it.
    pub name: Option<String>,
    /// Its blob.
    pub blob: Option<String>,
    /// Azure's status; `None` when Azure does not list it.
    pub status: Option<String>,
    /// When Azure accepted it.
    pub created_at: Option<Timestamp>,
    /// When Azure finished it.
    pub finished_at: Option<Timestamp>,
    /// Its size.
    pub size_bytes: Option<i64>,
    /// The databases in it.
    pub databases: Vec<DatabaseFacts>,
    /// Who took it.
    pub made_by: MadeBy,
    /// Who knows it.
    pub presence: Presence,
    /// The storage that holds it.
    pub storage: Option<StorageName>,
    /// The run that took it, or that recorded its adoption.
    pub run_id: Option<RunId>,
    /// How it came into the catalog.
    pub origin: Option<Origin>,
    /// Whether it counts for the recovery point objective.
    pub good: Option<bool>,
    /// Why it is held.
    pub hold: Option<String>,
    /// The SAS that Azure keeps with it.
    pub sas: Option<SasFacts>,
    /// When it was last found whole.
    pub verified_at: Option<Timestamp>,
    /// When and how it was removed.
    pub removal: Option<Removal>,
    /// What retention would do with it.
    pub retention: Option<Cow<'static, str>>,
    /// Azure's log of it.
    pub log: Option<String>,
    /// What is wrong with it, and what to do next.
    pub problem: Option<BackupProblem>,
}

impl From<&Item> for BackupView {
    fn from(item: &Item) -> Self {
        let (entry, azure) = (item.entry.as_ref(), item.azure.as_ref());
        let of_entry = |entry: &CatalogEntry| entry.backup.databases.clone();
        let finished = |entry: &CatalogEntry| entry.backup.finished_at;
        Self {
            backup_id: item.id.0,
            name: azure.and_then(|backup| backup.name.clone()),
            blob: item.blob().map(str::to_owned),
            status: azure.map(|backup| backup.status.to_string()),
            created_at: item.created(),
            finished_at: azure.and_then(|backup| backup.finished).or(entry.and_then(finished)),
            size_bytes: item.size_bytes(),
            databases: azure
                .map_or_else(|| entry.map(of_entry).unwrap_or_default(), |backup| backup.databases.clone()),
            made_by: item.made_by(),
            presence: item.presence(),
            storage: entry.map(|entry| entry.storage.clone()),
            run_id: entry.map(|entry| entry.run),
            origin: entry.map(|entry| entry.origin),
            good: entry.map(|entry| entry.good),
            hold: entry.and_then(|entry| entry.hold.clone()),
            sas: entry.and_then(|entry| entry.sas.clone()),
            verified_at: entry.and_then(|entry| entry.verified_at),
            removal: entry.and_then(|entry| entry.removal),
            retention: item.decision.map(|decision| decision.as_str().into()),
            log: azure.and_then(|backup| backup.log.clone()),
            problem: item.problem.clone(),
        }
    }
}

impl BackupView {
    /// When the SAS that Azure keeps with it expires, as far as that is known.
    pub fn sas_expiry(&self) -> Option<Timestamp> {
        self.sas.as_ref().and_then(|sas| sas.window.expiry)
    }
}
