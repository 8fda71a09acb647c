//! Backups of attempts in Azure's list. Pure.

use holdfast_arm::Backup;
use holdfast_model::{AppId, Attempt, BackupName, Run, RunEvent, RunId, SasWindow};

/// A backup in the app's list that an attempt of a run created.
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
        let mut found: Vec<Self> =
            listed.iter().filter_map(|backup| Self::of(&run.app, run.id, backup)).collect();
        found.sort_by_key(|found| found.number);
        found
    }

    fn of(app: &AppId, run: RunId, backup: &Backup) -> Option<Self> {
        let name = backup.listed_name()?;
        let number = BackupName::number_in(name, app, run)?;
        Some(Self { number, name: BackupName::new(name), backup: backup.clone() })
    }

    /// Records a backup that no attempt owns any more, so that retention knows of it.
    pub fn orphan(self) -> RunEvent {
        RunEvent::OrphanFound { number: self.number, backup: self.backup.id, name: self.name }
    }
}

/// Whether a listed backup without a name may be that of `attempt`: it was not created before.
pub(super) fn may_be_nameless(attempt: &Attempt, backup: &Backup) -> bool {
    let is_older = backup.created.is_some_and(|created| created + SasWindow::CLOCK_SKEW < attempt.begun_at);
    backup.listed_name().is_none() && !is_older
}
