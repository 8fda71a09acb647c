//! Reads Azure's backups of an app; a backup counts as missing only when two lists lack it.

use std::time::Duration;

use holdfast_arm::{Arm, Backup, Error, ErrorKind};
use holdfast_model::{AppId, BackupStatus, CatalogEntry};

/// Tries of a call that Azure throttles.
const TRIES: u32 = 5;
/// Shortest pause after a throttled call.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause after a throttled call.
const PAUSE_MAX: Duration = Duration::from_mins(1);

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
    let mut backups = patiently(|| arm.list_backups(app)).await?;
    let mut doubt = None;
    let is_listed = |entry: &CatalogEntry| backups.iter().any(|backup| backup.is(&entry.backup));
    if !entries.iter().filter(|entry| entry.removal.is_none()).all(is_listed) {
        match patiently(|| arm.list_site_backups(app)).await {
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

/// Repeats a throttled call after the pause that Azure asks for.
pub async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    mut call: impl FnMut() -> F,
) -> Result<T, Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        let answer = call().await;
        let pause = match answer.as_ref().map_err(Error::kind) {
            Err(ErrorKind::Throttled { retry_after, .. }) if tries < TRIES => {
                retry_after.unwrap_or(PAUSE * tries).clamp(PAUSE, PAUSE_MAX)
            }
            _ => return answer,
        };
        let _ = tokio::time::timeout(pause, std::future::pending::<()>()).await;
    }
}
