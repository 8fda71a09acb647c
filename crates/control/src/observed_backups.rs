//! Reads Azure's backups of an app; a backup counts as missing only when two lists lack it.

use holdfast_arm::{Arm, Error, ObservedBackups};
use holdfast_model::{AppId, CatalogEntry};

/// Reads the app's list, and the second list when the first lacks a backup of the catalog.
pub async fn observe(arm: &dyn Arm, app: &AppId, entries: &[CatalogEntry]) -> Result<ObservedBackups, Error> {
    let mut observed = ObservedBackups::of(arm.list_backups(app).await?);
    let mut expected = entries.iter().filter(|entry| entry.removal.is_none());
    if !expected.all(|entry| observed.find(&entry.backup).is_some()) {
        observed.complete(arm.list_site_backups(app).await);
    }
    Ok(observed)
}
