//! What follows from what happened: events and the time of the next step. Pure.

mod answers;
mod begin;
mod check;
mod delete;
mod ending;
mod look;
mod pauses;
mod probe;
mod refresh_sas;
mod restore;
mod schedule;

pub(crate) use answers::{asked, counts_in_part};
pub(crate) use begin::{Begun, NotReady, not_ready, posted, prepared};
pub(crate) use check::{BlobCheck, Blobs, checked};
pub(crate) use delete::{Before, Stays, before_delete, delete_answered, delete_seen, is_another, stays};
pub(crate) use ending::refused;
pub(crate) use look::{Found, looked, turned_up};
pub(crate) use probe::probed;
pub(crate) use refresh_sas::{Renewed, is_another_than, renewed};
pub(crate) use restore::{Trace, followed, restore_answered, traced};
pub(crate) use schedule::{Change, Standing, Wanted, schedule_answered, schedule_in_place, schedule_looked};

use std::time::Duration;

use holdfast_model::{Call, CatalogEntry, Run, RunEvent, Timestamp};

use crate::Settings;

/// A run as a step sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    /// The run.
    pub run: &'a Run,
    /// The store's time.
    pub now: Timestamp,
    /// How long the app's last good backup took.
    pub typical: Option<Duration>,
    /// The size of the app's last good backup.
    pub last_good_bytes: Option<i64>,
    /// The backup that the run is about, as the catalog has it.
    pub subject: Option<&'a CatalogEntry>,
    /// Whether the backup that the run deletes is the last one of its app, and nothing stands in for it.
    pub is_last: bool,
    /// The times that make a POST happen once.
    pub settings: &'a Settings,
}

impl Sight<'_> {
    /// When Azure accepted what was asked for at `begun_at` or after it. Azure's word is taken as far as it can be
    /// true: deadlines and ages of backups hang on this, and machines' clocks differ.
    fn accepted_at(&self, begun_at: Timestamp, told: Option<Timestamp>) -> Timestamp {
        told.unwrap_or(self.now).min(self.now).max(begun_at)
    }
}

/// What is to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Next {
    /// What happened, oldest first.
    pub events: Vec<RunEvent>,
    /// When the next step is due.
    pub due_at: Timestamp,
    /// A budget of the run's subscription that Azure says is empty, and until when.
    pub close: Option<(Call, Timestamp)>,
}

impl Next {
    /// Events and when the next step is due.
    fn new(events: Vec<RunEvent>, due_at: Timestamp) -> Self {
        Self { events, due_at, close: None }
    }
}

#[cfg(test)]
mod tests;
