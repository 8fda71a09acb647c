//! When an app is due: crontab text in a time zone, spread over a window, and what is owed after a gap.

mod crontab;
mod due;
mod spread;

pub use crontab::{Crontab, InvalidCrontab};
pub use due::{Due, MissReason, MissedTick, ON_TIME, due};
pub use spread::spread_offset;

use std::time::Duration;

use chrono_tz::Tz;

use crate::{AppId, Timestamp};

/// A policy's schedule: cron times in a zone, each app at its own place inside the spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The cron text.
    pub crontab: Crontab,
    /// The IANA zone in which the cron text is read.
    pub timezone: Tz,
    /// The window after each cron time over which apps are spread.
    pub spread: Duration,
}

impl Schedule {
    /// The app's first tick after `after`; `None` when the schedule has no further time.
    pub fn next_tick(&self, app: &AppId, after: Timestamp) -> Option<Timestamp> {
        let offset = spread_offset(app, self.spread);
        self.crontab.next_after(after - offset, self.timezone).map(|time| time + offset)
    }

    /// A text that changes when any part of the schedule does: a cursor made under another one is made anew, so
    /// that editing a schedule never fires at once.
    pub fn fingerprint(&self) -> String {
        format!("{} {} {}s", self.crontab, self.timezone, self.spread.as_secs())
    }
}
