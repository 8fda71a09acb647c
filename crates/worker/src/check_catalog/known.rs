//! What the store knows of an app's backups. Pure.

use std::collections::BTreeSet;

use holdfast_arm::Backup;
use holdfast_model::{BackupId, BackupName, CatalogEntry, Run, RunId, StorageName};

/// What the store knows of an app's backups.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The entries of the catalog that exist.
    pub entries: Vec<CatalogEntry>,
    /// The entries that were removed; read only if Azure lists a backup that no existing entry matches.
    pub removed: Vec<CatalogEntry>,
    /// The backups that unfinished runs delete.
    pub being_deleted: BTreeSet<BackupId>,
    /// Deletions of missing backups that may have taken effect although they ended without success.
    pub deletions: Vec<Run>,
    /// The listed backups that runs of this app requested and that no entry matches.
    pub late: Vec<LateBackup>,
}

/// A listed backup without an entry, and the run that requested it.
#[derive(Debug, Clone)]
pub(super) struct LateBackup {
    /// Azure's entry.
    pub listed: Backup,
    /// The run.
    pub run: RunId,
    /// The storage of that run.
    pub storage: StorageName,
}

impl Known {
    /// The listed backups that match no entry. Backups of Azure's schedule and of other people are among them.
    pub fn unknown<'b>(&self, listed: &'b [Backup]) -> Vec<&'b Backup> {
        let entries = || self.entries.iter().chain(&self.removed);
        listed.iter().filter(|backup| !entries().any(|entry| backup.is(&entry.backup))).collect()
    }
}

/// Whether Holdfast named the backup, of this store or of another.
pub(super) fn has_our_name(backup: &Backup) -> bool {
    backup.name.as_deref().is_some_and(|name| name.starts_with(BackupName::PREFIX))
}

/// The `unknown` backups that the ended ones among `runs` requested. An unfinished run adopts its backups itself.
///
/// A backup with our name and no run is of another store, which may manage it: it is left alone.
pub(super) fn late_backups(unknown: &[&Backup], runs: &[Run]) -> Vec<LateBackup> {
    let of = |backup: &&Backup| {
        let name = backup.name.as_deref()?;
        let run = runs.iter().find(|run| name.starts_with(&BackupName::of_run(&run.app, run.id)))?;
        let storage = run.policy_snapshot.storage.clone();
        run.state.is_ended().then(|| LateBackup { listed: (*backup).clone(), run: run.id, storage })
    };
    unknown.iter().filter_map(of).collect()
}
