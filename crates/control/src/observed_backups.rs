//! Reads Azure's backups of an app; a backup counts as missing only when two lists lack it.

use holdfast_arm::{Arm, Backup, Error};
use holdfast_model::{AppId, BackupStatus, CatalogEntry};

/// Azure's backups of an app.
#[derive(Debug)]
pub struct ObservedBackups {
    /// The backups, the newest first.
    pub backups: Vec<Backup>,
    /// Why the second list could not be read, where it was needed: an absent backup may still exist.
    pub doubt: Option<Error>,
}

/// Reads the app's list, and the second list when the first lacks a backup of the catalog.
pub async fn observe(arm: &dyn Arm, app: &AppId, entries: &[CatalogEntry]) -> Result<ObservedBackups, Error> {
    let mut backups = arm.list_backups(app).await?;
    let mut doubt = None;
    let is_listed = |entry: &CatalogEntry| backups.iter().any(|backup| backup.is(&entry.backup));
    if !entries.iter().filter(|entry| entry.removal.is_none()).all(is_listed) {
        match arm.list_site_backups(app).await {
            Ok(others) => {
                for other in others {
                    if !backups.iter().any(|backup| backup.id == other.id) {
                        backups.push(other);
                    }
                }
            }
            Err(error) => doubt = Some(error),
        }
    }
    backups.retain(|backup| backup.status != BackupStatus::Deleted);
    backups.sort_by_key(|backup| std::cmp::Reverse((backup.created, backup.id)));
    Ok(ObservedBackups { backups, doubt })
}
