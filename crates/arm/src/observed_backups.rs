//! Azure's backups of an app, read from its two lists.

use holdfast_model::{BackupFacts, BackupStatus};

use crate::{Backup, Error};

/// Azure's backups of an app. A backup counts as missing only when two lists lack it.
#[derive(Debug, Default)]
pub struct ObservedBackups {
    /// The backups. Deleted ones are left out.
    pub backups: Vec<Backup>,
    /// Why the second list could not be read, where it was needed: an absent backup may still exist.
    pub doubt: Option<Error>,
}

impl ObservedBackups {
    /// The backups of the first list.
    pub fn of(listed: Vec<Backup>) -> Self {
        let mut observed = Self::default();
        observed.add(listed);
        observed
    }

    /// The listed backup that matches `recorded`.
    pub fn find(&self, recorded: &BackupFacts) -> Option<&Backup> {
        self.backups.iter().find(|backup| backup.is(recorded))
    }

    /// Adds what only the second list has, or why it could not be read.
    pub fn complete(&mut self, second: Result<Vec<Backup>, Error>) {
        match second {
            Ok(others) => self.add(others),
            Err(error) => self.doubt = Some(error),
        }
    }

    fn add(&mut self, listed: Vec<Backup>) {
        for backup in listed {
            let is_known = self.backups.iter().any(|known| known.id == backup.id);
            if !is_known && backup.status != BackupStatus::Deleted {
                self.backups.push(backup);
            }
        }
        self.backups.sort_by_key(|backup| std::cmp::Reverse((backup.created, backup.id)));
    }
}
