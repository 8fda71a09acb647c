//! What Azure has of an app's backups, asked in two ways before anything counts as missing.

use std::time::Duration;

use holdfast_arm::{Arm, Backup, Error, ErrorKind};
use holdfast_model::{AppId, BackupFacts, BackupStatus, CatalogEntry};

/// How often a call is made that Azure throttles.
const TRIES: u32 = 5;
/// What is waited at least when Azure throttles.
const PAUSE: Duration = Duration::from_secs(1);
/// And at most.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// What Azure has of an app's backups.
#[derive(Debug)]
pub struct Sightings {
    /// The backups, the newest first.
    pub backups: Vec<Backup>,
    /// Why the second opinion could not be had, where one was needed: what is missing may be there all the same.
    pub doubt: Option<Error>,
}

/// Asks for the app's list, and asks the other way where a backup of the catalog is not in it.
pub async fn of(arm: &dyn Arm, app: &AppId, entries: &[CatalogEntry]) -> Result<Sightings, Error> {
    let mut backups = patiently(|| arm.list_backups(app)).await?;
    let mut doubt = None;
    let is_listed = |entry: &CatalogEntry| backups.iter().any(|backup| is(backup, &entry.backup));
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
    Ok(Sightings { backups, doubt })
}

/// Is it the backup that `facts` tell of? Azure counts from 1 again when an app was made anew, so the number alone says
/// nothing.
pub fn is(backup: &Backup, facts: &BackupFacts) -> bool {
    let stem = |blob: &str| blob.strip_suffix(".zip").unwrap_or(blob).to_owned();
    let same_blob = backup.blob_name.as_deref().is_none_or(|blob| stem(blob) == stem(&facts.blob));
    backup.id == facts.id && same_blob
}

/// Makes a call again that Azure throttled, after as long as it asks.
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
