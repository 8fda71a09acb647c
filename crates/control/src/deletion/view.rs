//! What a deletion will do, as answers show it.

use holdfast_model::{AppId, BackupFacts, BackupId, StorageName, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::plan::{DeletionPlan, NewestGood};

/// What a deletion will do.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct PlannedDeletions {
    /// The store's time.
    pub as_of: Timestamp,
    /// The app.
    pub app: AppId,
    /// The backups that are deleted.
    pub backups: Vec<PlannedBackup>,
    /// The newest good backup, where it is deleted.
    pub newest_good: Option<BackupId>,
    /// The recovery point that is left then.
    pub left_from: Option<Timestamp>,
    /// What confirms it: the short name of the app.
    pub confirm: String,
}

/// A backup that is deleted.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct PlannedBackup {
    /// The backup.
    pub backup: BackupFacts,
    /// The storage that holds it.
    pub storage: StorageName,
    /// Whether the catalog does not have it yet, so that it is adopted first.
    pub is_foreign: bool,
}

impl From<&DeletionPlan> for PlannedDeletions {
    fn from(plan: &DeletionPlan) -> Self {
        let backups = plan.backups.iter().map(|planned| PlannedBackup {
            backup: planned.backup.clone(),
            storage: planned.policy_snapshot.storage.clone(),
            is_foreign: planned.is_foreign,
        });
        let newest = plan.newest_good.as_ref();
        Self {
            as_of: plan.now,
            app: plan.app.id.clone(),
            backups: backups.collect(),
            newest_good: newest.map(|NewestGood { backup, .. }| *backup),
            left_from: newest.map(|newest| newest.left_from),
            confirm: plan.app.id.short_name(),
        }
    }
}
