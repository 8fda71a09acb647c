//! Time moves on: scheduled events happen in their order.

use holdfast_model::Timestamp;

use super::Azure;
use super::agenda::ScheduledEvent;

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
