//! Lanes with due runs, and runs leased from them.

use std::time::Duration;

use holdfast_model::{Lane, Priority, Timestamp, Wakeup};

/// The lanes in which runs are due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueLanes {
    /// The store's time.
    pub now: Timestamp,
    /// Runs that are leased.
    pub outstanding: u32,
    /// The lanes with due runs.
    pub lanes: Vec<DueLane>,
    /// The next time after now at which a run becomes due or a lease lapses.
    pub next_at: Option<Timestamp>,
}

/// A lane with due runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLane {
    /// The lane.
    pub lane: Lane,
    /// The most urgent priority among its due runs.
    pub priority: Priority,
    /// The earliest due time among the runs of that priority.
    pub due_at: Timestamp,
}

/// How many runs to lease from a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneQuota {
    /// The lane.
    pub lane: Lane,
    /// The greatest number of runs.
    pub most: u32,
}

/// The terms of new leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    /// How long they last.
    pub lasts: Duration,
    /// The seed of their numbers. No two calls may have the same.
    pub seed: u64,
}

/// A leased run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leased {
    /// The content of its message.
    pub wakeup: Wakeup,
    /// Its priority.
    pub priority: Priority,
}
