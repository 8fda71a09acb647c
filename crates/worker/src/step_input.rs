//! The input of a transition: a run and its facts.

use std::time::Duration;

use holdfast_model::{CatalogEntry, Run, Timestamp};

use crate::environment::Settings;

/// A run, and what the store returned with it, at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepInput<'a> {
    /// The run.
    pub run: &'a Run,
    /// The store's time.
    pub now: Timestamp,
    /// Durations of the app's last good backups, the newest first.
    pub durations: &'a [Duration],
    /// Size of the app's last good backup.
    pub last_good_bytes: Option<i64>,
    /// Catalog entry of the backup that the run deletes, restores or refreshes.
    pub subject: Option<&'a CatalogEntry>,
    /// Whether the backup that the run deletes is the last one of its app, with no substitute.
    pub is_last: bool,
    /// The times that ensure at most one POST per attempt.
    pub settings: &'a Settings,
}

impl StepInput<'_> {
    /// When Azure accepted a request, given `reported` by Azure and that the attempt began at `begun_at`.
    ///
    /// The result lies between `begun_at` and now: deadlines and the ages of backups depend on it, and Azure's clock may
    /// differ from the store's.
    pub fn accepted_at(&self, begun_at: Timestamp, reported: Option<Timestamp>) -> Timestamp {
        reported.unwrap_or(self.now).min(self.now).max(begun_at)
    }
}
