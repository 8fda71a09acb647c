//! What Azure has still to do, by its time.

use std::collections::BTreeSet;

use holdfast_model::{AppId, BackupId, Timestamp};

use super::Azure;

/// Everything that is to happen, the earliest first.
#[derive(Default)]
pub(super) struct Agenda {
    due: BTreeSet<(Timestamp, Due)>,
}

/// Something that happens by itself when its time has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A backup ends.
    BackupEnds { id: BackupId, app: AppId },
    /// A deletion ends.
    DeletionEnds { id: BackupId, app: AppId },
    /// A deleted backup leaves the list.
    BackupLeaves { id: BackupId, app: AppId },
    /// A restore ends.
    RestoreEnds { operation: String },
    /// A schedule fires, if it is still the one that is in force.
    ScheduleFires { app: AppId, version: u64 },
}

impl Agenda {
    pub(super) fn add(&mut self, at: Timestamp, due: Due) {
        self.due.insert((at, due));
    }

    /// Takes out what is due first, if its time has come.
    fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        if self.due.first()?.0 > now { None } else { self.due.pop_first() }
    }

    /// Strikes the end of a backup that will not come.
    pub(super) fn strike_backup(&mut self, ends_at: Timestamp, id: BackupId, app: &AppId) {
        self.due.remove(&(ends_at, Due::BackupEnds { id, app: app.clone() }));
    }

    /// How many backups have still to end.
    pub(super) fn backups(&self) -> usize {
        self.due.iter().filter(|(_, due)| matches!(due, Due::BackupEnds { .. })).count()
    }
}

impl Azure {
    /// Lets everything happen whose time has come, in the order of its times.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.agenda.pop(now.max(self.now)) {
            self.now = self.now.max(at);
            match due {
                Due::BackupEnds { id, app } => self.finish(&app, id),
                Due::DeletionEnds { id, app } => self.finish_deletion(&app, id),
                Due::BackupLeaves { id, app } => self.forget_backup(&app, id),
                Due::RestoreEnds { operation } => self.finish_restore(&operation),
                Due::ScheduleFires { app, version } => self.fire_schedule(&app, version),
            }
        }
        self.now = self.now.max(now);
    }
}
