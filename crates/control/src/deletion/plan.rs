//! The plan of a deletion: which backups, in which storage, and what is left.

use holdfast_model::{App, BackupFacts, BackupId, PolicySnapshot, StorageName, Timestamp};
use serde::{Deserialize, Serialize};

use super::select::{Allowed, newest_good, select};
use crate::adoption::require_blobs;
use crate::inventory::Inventory;
use crate::{ControlContext, Error, refused};

/// A request to delete backups of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeletionRequest {
    /// The app, by its ARM id or short name.
    pub app: String,
    /// The backups.
    pub backups: Vec<BackupId>,
    /// What the deletion may do beyond the usual.
    pub allowed: Allowed,
    /// The storage that holds backups that others took; `None` for the policy's.
    pub storage: Option<StorageName>,
}

/// A deletion that can start now.
#[derive(Debug)]
pub struct DeletionPlan {
    /// The app.
    pub app: App,
    /// The store's time.
    pub now: Timestamp,
    /// The backups, those of the catalog first.
    pub backups: Vec<PlannedDeletion>,
    /// What is left, when the newest good backup is among them.
    pub newest_good: Option<NewestGood>,
    /// Whether the last good backup may be deleted.
    pub allow_last: bool,
}

/// One backup to delete.
#[derive(Debug)]
pub struct PlannedDeletion {
    /// The backup.
    pub backup: BackupFacts,
    /// The policy snapshot of its run, with the storage that holds the backup.
    pub policy_snapshot: PolicySnapshot,
    /// Whether others took it: it is adopted first.
    pub is_foreign: bool,
}

/// The newest good backup, if it is deleted, and the newest one afterwards.
#[derive(Debug)]
pub struct NewestGood {
    /// The backup.
    pub backup: BackupId,
    /// The point in time that the app can be restored to afterwards.
    pub left_from: Timestamp,
}

/// Plans a deletion, or fails with every reason that forbids it.
pub async fn plan(context: &ControlContext<'_>, request: &DeletionRequest) -> Result<DeletionPlan, Error> {
    let inventory = Inventory::of(&request.app, context).await?;
    let allowed = request.allowed;
    let selection = select(&inventory, &request.backups, allowed).map_err(|reasons| refused(&reasons))?;
    let app = &inventory.app;
    let newest_good = newest_good(&inventory, &selection)
        .map(|(backup, left)| NewestGood { backup, left_from: left.backup.accepted_at });
    let mut backups = Vec::new();
    for entry in selection.known {
        let policy_snapshot = context.policy_snapshot(app, Some(&entry.storage))?;
        backups.push(PlannedDeletion { backup: entry.backup, policy_snapshot, is_foreign: false });
    }
    if !selection.foreign.is_empty() {
        let policy_snapshot = context.policy_snapshot(app, request.storage.as_ref())?;
        require_blobs(&selection.foreign, &policy_snapshot, context).await?;
        backups.extend(selection.foreign.into_iter().map(|backup| PlannedDeletion {
            backup,
            policy_snapshot: policy_snapshot.clone(),
            is_foreign: true,
        }));
    }
    let Inventory { app, now, .. } = inventory;
    Ok(DeletionPlan { app, now, backups, newest_good, allow_last: allowed.last })
}
