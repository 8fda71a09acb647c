//! A run as a step loads it, and the change that the step commits.

use std::time::Duration;

use holdfast_model::{CatalogEntry, Run, RunEvent, Timestamp, Wakeup};

/// A run with what its next step needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The run.
    pub run: Run,
    /// The store's time.
    pub now: Timestamp,
    /// Its lease, which may have lapsed; `None` where it has none.
    pub lease: Option<HeldLease>,
    /// How long the app's last good backups took, from acceptance to the end, the newest first. Only for a backup run.
    pub durations: Vec<Duration>,
    /// The size of the app's last good backup in bytes. Only for a backup run.
    pub last_good_bytes: Option<i64>,
    /// The catalog entry of the backup that the run is about ([`holdfast_model::Task::backup`]).
    pub subject: Option<CatalogEntry>,
    /// Whether the run deletes the last good backup of its app, or, where there is none, the last partial one.
    ///
    /// It is the last when no other backup that stands in for it is there and stays. Only for a deletion.
    pub is_last: bool,
}

/// The lease of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLease {
    /// Until when the run is leased.
    pub until: Timestamp,
    /// The number that the message of this lease has.
    pub nonce: i64,
}

impl Loaded {
    /// Whether the run is leased now, under the lease of `wakeup`.
    pub fn is_leased_by(&self, wakeup: Wakeup) -> bool {
        self.lease.is_some_and(|lease| lease.until > self.now && lease.nonce == wakeup.nonce)
    }
}

/// A change of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The version it was decided on.
    pub from: i64,
    /// The row to write; its own version is ignored.
    pub run: Run,
    /// The events, oldest first; none when only the due time moves.
    pub events: Vec<RunEvent>,
    /// When they happened.
    pub at: Timestamp,
}

/// The result of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// The change is written; the row has this version.
    Done(i64),
    /// Nothing is written: the row has changed since, does not exist, or something stands in the way.
    Stale,
}
