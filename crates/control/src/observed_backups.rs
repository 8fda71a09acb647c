//! Reads Azure's backups of an app; a backup counts as missing only when two lists lack it.

use std::time::Duration;

use holdfast_arm::{Arm, Error, ErrorKind, ObservedBackups};
use holdfast_model::{AppId, CatalogEntry};

/// Tries of a call that Azure throttles.
const TRIES: u32 = 5;
/// Shortest pause after a throttled call.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest pause after a throttled call.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Reads the app's list, and the second list when the first lacks a backup of the catalog.
pub async fn observe(arm: &dyn Arm, app: &AppId, entries: &[CatalogEntry]) -> Result<ObservedBackups, Error> {
    let mut observed = ObservedBackups::of(patiently(|| arm.list_backups(app)).await?);
    let mut expected = entries.iter().filter(|entry| entry.removal.is_none());
    if !expected.all(|entry| observed.find(&entry.backup).is_some()) {
        observed.complete(patiently(|| arm.list_site_backups(app)).await);
    }
    Ok(observed)
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
