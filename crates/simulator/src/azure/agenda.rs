//! The scheduled events, by time.

use std::collections::BTreeSet;

use holdfast_model::{AppId, BackupId, Timestamp};

/// The scheduled events, the earliest first.
#[derive(Default)]
pub(super) struct Agenda {
    pub(super) due: BTreeSet<(Timestamp, ScheduledEvent)>,
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
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<(Timestamp, ScheduledEvent)> {
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
