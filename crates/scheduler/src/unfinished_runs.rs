//! What unfinished runs do with backups.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, BackupFacts, BackupId, CatalogEntry, Restore, Run, RunId, Task};

/// The unfinished runs that maintenance and retention take into account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnfinishedRuns {
    restores: Vec<Restore>,
    backup_runs: BTreeSet<RunId>,
    deletions: BTreeMap<AppId, BTreeSet<BackupId>>,
}

impl UnfinishedRuns {
    /// Whether an unfinished deletion removes this backup of `app`.
    pub fn is_deleting(&self, app: &AppId, backup: BackupId) -> bool {
        self.deletions.get(app).is_some_and(|backups| backups.contains(&backup))
    }

    /// The number of unfinished deletions of backups of `app`.
    pub fn deletions_of(&self, app: &AppId) -> usize {
        self.deletions.get(app).map_or(0, BTreeSet::len)
    }

    /// Whether an unfinished run needs the backup: a restore or drill reads it, or its own run may still return it.
    pub fn needs(&self, entry: &CatalogEntry) -> bool {
        let BackupFacts { id, blob, .. } = &entry.backup;
        self.restores.iter().any(|restore| restore.reads(&entry.app, *id, blob))
            || self.backup_runs.contains(&entry.run)
    }
}

impl FromIterator<Run> for UnfinishedRuns {
    /// Collects the unfinished runs among `runs`.
    fn from_iter<T: IntoIterator<Item = Run>>(runs: T) -> Self {
        let mut unfinished = Self::default();
        unfinished.extend(runs);
        unfinished
    }
}

impl Extend<Run> for UnfinishedRuns {
    /// Adds the unfinished runs among `runs`.
    fn extend<T: IntoIterator<Item = Run>>(&mut self, runs: T) {
        for run in runs.into_iter().filter(|run| !run.state.is_ended()) {
            match run.task {
                Task::Delete(delete) => {
                    self.deletions.entry(run.app).or_default().insert(delete.backup);
                }
                Task::Backup { .. } => {
                    self.backup_runs.insert(run.id);
                }
                task => self.restores.extend(task.restore().cloned()),
            }
        }
    }
}
