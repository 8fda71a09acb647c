//! The scheduled events, by time.

use std::collections::BTreeSet;

use holdfast_model::{AppId, BackupId, Timestamp};

use super::Azure;

/// The scheduled events, the earliest first.
#[derive(Default)]
pub(super) struct Agenda {
    due: BTreeSet<(Timestamp, ScheduledEvent)>,
}

/// An event that happens without a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ScheduledEvent {
    /// A backup ends.
    BackupEnds { id: BackupId, app: AppId },
    /// A deletion ends.
    DeletionEnds { id: BackupId, app: AppId },
    /// A deleted backup leaves the list.
    BackupLeaves { id: BackupId, app: AppId },
    /// A restore ends.
    RestoreEnds { operation: String },
    /// A schedule fires, if it is still in force.
    ScheduleFires { app: AppId, version: u64 },
}

impl Agenda {
    pub(super) fn add(&mut self, at: Timestamp, due: ScheduledEvent) {
        self.due.insert((at, due));
    }

    /// Removes the first event, if it is due.
    fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, ScheduledEvent)> {
        if self.due.first()?.0 > now { None } else { self.due.pop_first() }
    }

    /// Cancels the end of a backup.
    pub(super) fn strike_backup(&mut self, ends_at: Timestamp, id: BackupId, app: &AppId) {
        self.due.remove(&(ends_at, ScheduledEvent::BackupEnds { id, app: app.clone() }));
    }

    /// The number of backups in progress.
    pub(super) fn backups(&self) -> usize {
        self.due.iter().filter(|(_, due)| matches!(due, ScheduledEvent::BackupEnds { .. })).count()
    }
}

impl Azure {
    /// Lets everything happen whose time has come, in the order of its times.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some((at, due)) = self.agenda.pop(now.max(self.now)) {
            self.now = self.now.max(at);
            match due {
                ScheduledEvent::BackupEnds { id, app } => self.finish(&app, id),
                ScheduledEvent::DeletionEnds { id, app } => self.finish_deletion(&app, id),
                ScheduledEvent::BackupLeaves { id, app } => self.forget_backup(&app, id),
                ScheduledEvent::RestoreEnds { operation } => self.finish_restore(&operation),
                ScheduledEvent::ScheduleFires { app, version } => self.fire_schedule(&app, version),
            }
        }
        self.now = self.now.max(now);
    }
}
