//! One backup of an app, as the catalog and Azure know it.

use holdfast_arm::Backup;
use holdfast_model::retention::RetentionDecision;
use holdfast_model::{BackupId, BackupName, CatalogEntry, Origin, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::BackupProblem;

/// One backup, known to the catalog, to Azure, or to both.
#[derive(Debug, Clone)]
pub struct Item {
    /// Azure's number for it.
    pub id: BackupId,
    /// What the catalog knows.
    pub entry: Option<CatalogEntry>,
    /// What Azure has.
    pub azure: Option<Backup>,
    /// What retention would do with it, where the policy has a rule.
    pub decision: Option<RetentionDecision>,
    /// What is wrong with it.
    pub problem: Option<BackupProblem>,
}

/// Who knows a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Azure and the catalog.
    Known,
    /// Azure alone.
    OnlyInAzure,
    /// The catalog alone: deleted, or not in Azure's lists now.
    Removed,
    /// The catalog has recorded it as lost, whatever Azure lists.
    Lost,
}

/// Who took a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MadeBy {
    /// Holdfast, of this store or of another.
    Holdfast,
    /// Azure's own schedule.
    AzureSchedule,
    /// Others: a person in the portal, a script.
    Others,
}

impl Item {
    /// Who knows it.
    pub fn presence(&self) -> Presence {
        let is_lost = |entry: &CatalogEntry| entry.removal.is_some_and(|removal| !removal.deleted);
        match (&self.entry, &self.azure) {
            (Some(entry), _) if is_lost(entry) => Presence::Lost,
            (Some(_), Some(_)) => Presence::Known,
            (None, _) => Presence::OnlyInAzure,
            (_, None) => Presence::Removed,
        }
    }

    /// Who took it, as far as is known.
    pub fn made_by(&self) -> MadeBy {
        let name = self.azure.as_ref().and_then(|backup| backup.name.as_deref()).unwrap_or_default();
        match &self.entry {
            Some(entry) if entry.origin != Origin::TakenOver => MadeBy::Holdfast,
            _ if self.azure.as_ref().is_some_and(|backup| backup.scheduled) => MadeBy::AzureSchedule,
            _ if name.starts_with(BackupName::PREFIX) => MadeBy::Holdfast,
            _ => MadeBy::Others,
        }
    }

    /// When Azure accepted it.
    pub fn created(&self) -> Option<Timestamp> {
        let azure = self.azure.as_ref().and_then(|backup| backup.created);
        azure.or(self.entry.as_ref().map(|entry| entry.backup.accepted_at))
    }

    /// Its blob, as far as it is known.
    pub fn blob(&self) -> Option<&str> {
        let entry = self.entry.as_ref().map(|entry| entry.backup.blob.as_str());
        entry.or_else(|| self.azure.as_ref()?.blob_name.as_deref())
    }

    /// Its size, as far as it is known.
    pub fn size_bytes(&self) -> Option<i64> {
        let entry = self.entry.as_ref().map(|entry| entry.backup.size_bytes).filter(|size| *size > 0);
        entry.or_else(|| self.azure.as_ref()?.size_bytes)
    }
}

impl Presence {
    /// The text in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::OnlyInAzure => "only in azure",
            Self::Removed => "removed",
            Self::Lost => "lost",
        }
    }
}

impl MadeBy {
    /// The text in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holdfast => "holdfast",
            Self::AzureSchedule => "azure's schedule",
            Self::Others => "others",
        }
    }
}
