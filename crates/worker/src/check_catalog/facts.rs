//! The facts of a backup, as Azure lists it. Pure.

use holdfast_arm::Backup;
use holdfast_model::{BackupFacts, Timestamp};

/// The facts of a listed backup; `None` where Azure returns neither its blob nor its name.
pub(super) fn facts_of(listed: &Backup, now: Timestamp) -> Option<BackupFacts> {
    // Azure omits `.zip` until it writes the blob.
    let blob = listed.blob_name.as_deref().or(listed.name.as_deref())?;
    let blob = format!("{}.zip", blob.strip_suffix(".zip").unwrap_or(blob));
    Some(BackupFacts {
        id: listed.id,
        blob,
        size_bytes: listed.size_bytes.unwrap_or(0),
        accepted_at: listed.created.unwrap_or(now).min(now),
        finished_at: Some(listed.finished.unwrap_or(now)),
        databases: listed.databases.clone(),
    })
}
