//! Schedules: cron times in a time zone, spread over a window, and which ticks run after a gap.

mod clock_change;
mod cron_dialect;
mod cron_field;
mod cron_fields;
mod crontab;
mod missed_tick;
mod spread;
mod tick_plan;

pub use clock_change::ClockChange;
pub use crontab::{Crontab, InvalidCrontab};
pub use missed_tick::{MissReason, MissedTick};
pub use spread::spread_offset;
pub use tick_plan::{ON_TIME, PauseWindow, TickPlan, TickQuery, plan_ticks};

use std::time::Duration;

use crate::{AppId, Timestamp, Zone};

/// A policy's schedule: cron times in a zone, each app at its own offset inside the spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The cron text.
    pub crontab: Crontab,
    /// The IANA zone of the cron fields.
    pub timezone: Zone,
    /// The window after each cron time over which apps are distributed.
    pub spread: Duration,
}

impl Schedule {
    /// The app's first tick after `after`; `None` when the schedule has no further time.
    pub fn next_tick(&self, app: &AppId, after: Timestamp) -> Option<Timestamp> {
        let offset = spread_offset(app, self.spread);
        self.crontab.next_after(after - offset, &self.timezone).map(|time| time + offset)
    }

    /// A text that identifies the schedule.
    ///
    /// A cursor of another fingerprint is reset, so that editing a schedule never starts a run at once.
    pub fn fingerprint(&self) -> String {
        format!("{} {} {}s", self.crontab, self.timezone, self.spread.as_secs())
    }
}
