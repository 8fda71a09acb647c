//! Which blobs a look reads. Pure.

use std::collections::BTreeSet;

use holdfast_model::{BackupFacts, BackupId, CatalogEntry, RunState, StorageName, Timestamp};

use super::known::Known;
use crate::blob_sizes::StoredBackup;

/// Backups whose blobs one look reads. An app with more is read in turn, a part each day.
const BLOBS_MAX: usize = 100;

const DAY: i64 = 24 * 3_600;

/// The backups whose blobs a look reads: what is new or missing first, then a part of the others that moves each day.
pub(super) fn to_read<'a>(
    known: &'a Known,
    late: &'a [(StorageName, BackupFacts)],
    state: &RunState,
    now: Timestamp,
) -> Vec<StoredBackup<'a>> {
    let missing: BTreeSet<BackupId> = match state {
        RunState::Comparing { missing, .. } => missing.iter().map(|backup| backup.id).collect(),
        _ => BTreeSet::new(),
    };
    let newest_good = known.entries.iter().filter(|entry| entry.good).map(|entry| entry.backup.id).next();
    let is_first = |entry: &&CatalogEntry| {
        missing.contains(&entry.backup.id)
            || !entry.is_verified()
            || entry.removal.is_some()
            || Some(entry.backup.id) == newest_good
    };
    let lost = known.removed.iter().filter(|entry| entry.removal.is_some_and(|removal| !removal.deleted));
    let (first, others): (Vec<_>, Vec<_>) = known.entries.iter().chain(lost).partition(is_first);
    let late = late.iter().map(|(storage, backup)| StoredBackup { storage, backup });
    let stored = |entry: &'a CatalogEntry| StoredBackup { storage: &entry.storage, backup: &entry.backup };
    let turned = turn(&others, now);
    late.chain(first.into_iter().map(stored)).chain(turned.map(stored)).take(BLOBS_MAX).collect()
}

/// The entries, beginning at a place that moves by [`BLOBS_MAX`] each day.
fn turn<'a, 'b>(
    entries: &'b [&'a CatalogEntry],
    now: Timestamp,
) -> impl Iterator<Item = &'a CatalogEntry> + use<'a, 'b> {
    let day = usize::try_from(now.timestamp() / DAY).unwrap_or(0);
    let skip = (day * BLOBS_MAX / 2).checked_rem(entries.len()).unwrap_or(0);
    entries.iter().cycle().skip(skip).take(entries.len()).copied()
}
