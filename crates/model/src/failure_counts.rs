//! Failures of a run, counted from its events.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{BackupFacts, Cause, RetryClass, RunEvent};

/// Failures of a run so far, one count for each retry rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCounts {
    /// Attempts that Azure timed out.
    pub timed_out: u32,
    /// Attempts that Azure skipped.
    pub skipped: u32,
    /// Attempts that ended with a partial backup.
    pub partial: u32,
    /// Attempts that failed otherwise, and refused starts.
    pub transient: u32,
    /// Attempts given up because their answers stayed lost.
    pub lost: u32,
    /// Attempts and starts that Azure refused for lack of a right.
    #[serde(default)]
    pub forbidden: u32,
    /// Numbers of the lost attempts whose backups may still turn up.
    pub missing: BTreeSet<u32>,
    /// Deferrals since Azure last accepted an attempt.
    pub deferred: u32,
    /// The last partial backup: the run's result if no attempt does better.
    pub partial_backup: Option<BackupFacts>,
}

impl FailureCounts {
    /// Counts one event.
    pub(crate) fn count(&mut self, event: &RunEvent) {
        match event {
            RunEvent::AttemptEnded { cause, backup, number, .. } => {
                self.count_failure(*cause);
                if *cause == Cause::AnswerLost {
                    self.missing.insert(*number);
                }
                if cause.leaves_partial() {
                    self.partial_backup = backup.clone().or(self.partial_backup.take());
                }
            }
            RunEvent::StartRefused { cause, .. } => self.count_failure(*cause),
            RunEvent::Deferred { .. } => self.deferred += 1,
            RunEvent::Accepted { .. } | RunEvent::OperationAccepted { .. } | RunEvent::Completed { .. } => {
                self.deferred = 0;
            }
            RunEvent::Adopted { attempt, .. } => {
                self.deferred = 0;
                self.missing.remove(&attempt.number);
            }
            RunEvent::OrphanFound { number, .. } => {
                self.missing.remove(number);
            }
            _ => {}
        }
    }

    /// Failures so far that the retry rule `class` counts; 0 for a permanent one.
    pub fn of(&self, class: RetryClass) -> u32 {
        match class {
            RetryClass::TimedOut => self.timed_out,
            RetryClass::Skipped => self.skipped,
            RetryClass::Partial => self.partial,
            RetryClass::Transient => self.transient,
            RetryClass::Lost => self.lost,
            RetryClass::Forbidden => self.forbidden,
            RetryClass::Permanent => 0,
        }
    }

    fn count_failure(&mut self, cause: Cause) {
        match cause.retry_class() {
            RetryClass::TimedOut => self.timed_out += 1,
            RetryClass::Skipped => self.skipped += 1,
            RetryClass::Partial => self.partial += 1,
            RetryClass::Transient => self.transient += 1,
            RetryClass::Lost => self.lost += 1,
            RetryClass::Forbidden => self.forbidden += 1,
            RetryClass::Permanent => {}
        }
    }
}
