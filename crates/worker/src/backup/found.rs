//! Backups of this run in Azure's list. Pure.

use holdfast_arm::Backup;
use holdfast_model::{BackupName, Run, RunEvent};

/// A backup in the app's list that an attempt of this run created.
#[derive(Debug, Clone)]
pub(super) struct FoundBackup {
    /// The number of the attempt.
    pub number: u32,
    /// The name of the attempt.
    pub name: BackupName,
    /// The backup.
    pub backup: Backup,
}

impl FoundBackup {
    /// The listed backups whose names only attempts of `run` have, ordered by attempt.
    pub fn of_run(run: &Run, listed: &[Backup]) -> Vec<Self> {
        let prefix = BackupName::of_run(&run.app, run.id);
        let mut found: Vec<Self> = listed
            .iter()
            .filter_map(|backup| {
                let name = backup.listed_name()?;
                let number = name.strip_prefix(&prefix)?.parse().ok()?;
                Some(Self { number, name: BackupName::new(name), backup: backup.clone() })
            })
            .collect();
        found.sort_by_key(|found| found.number);
        found
    }

    /// Records a backup that no attempt owns any more, so that retention knows of it.
    pub fn orphan(self) -> RunEvent {
        RunEvent::OrphanFound { number: self.number, backup: self.backup.id, name: self.name }
    }
}
