//! Failures of a run, counted from its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BackupFacts, BackupName, Cause, RetryClass, RunEvent, RunState};

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
    /// The attempts that ended before it was known whether Azure accepted them, by number, with their names. Their
    /// backups may still turn up, even after the run has ended.
    pub missing: BTreeMap<u32, BackupName>,
    /// Deferrals since Azure last accepted an attempt.
    pub deferred: u32,
    /// The last partial backup: the run's result if no attempt does better.
    pub partial_backup: Option<BackupFacts>,
}

impl FailureCounts {
    /// Counts one event. `before` is the run's state before it.
    pub(crate) fn count(&mut self, before: &RunState, event: &RunEvent) {
        match event {
            RunEvent::AttemptEnded { cause, backup, .. } => {
                self.count_failure(*cause);
                self.missing.extend(unsettled(before, *cause));
                if cause.leaves_partial() {
                    self.partial_backup = backup.clone().or(self.partial_backup.take());
                }
            }
            RunEvent::StartRefused { cause, .. } => self.count_failure(*cause),
            RunEvent::Deferred { .. } => self.deferred += 1,
            RunEvent::Accepted { .. }
            | RunEvent::OperationAccepted { .. }
            | RunEvent::Completed { .. }
            | RunEvent::PartiallyCompleted { .. } => self.deferred = 0,
            RunEvent::Adopted { attempt, .. } => {
                self.deferred = 0;
                self.missing.retain(|_, name| *name != attempt.name);
            }
            RunEvent::OrphanFound { name: found, .. } => self.missing.retain(|_, name| name != found),
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
            RetryClass::Permanent => {}
        }
    }
}

/// The attempt that an end with `cause` leaves unsettled: whether Azure accepted it is unknown.
fn unsettled(before: &RunState, cause: Cause) -> Option<(u32, BackupName)> {
    let attempt = match before {
        RunState::Reconciling { attempt, .. } => attempt,
        // Any other cause is Azure's own refusal of the request.
        RunState::Starting { attempt } if matches!(cause, Cause::AnswerLost | Cause::DeadlinePassed) => {
            attempt
        }
        _ => return None,
    };
    Some((attempt.number, attempt.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attempt, BackupId, Timestamp};

    fn attempt(number: u32) -> Attempt {
        Attempt {
            number,
            name: BackupName::new(format!("hf-{number}")),
            begun_at: Timestamp::UNIX_EPOCH,
            sas: String::new(),
            sas_expiry: None,
            restored_before: None,
        }
    }

    fn ended(cause: Cause) -> RunEvent {
        let (status, detail) = (None, String::new());
        RunEvent::AttemptEnded { number: 1, status, cause, detail, backup: None, retry_at: None }
    }

    #[test]
    fn an_attempt_that_ends_while_its_effect_is_unknown_keeps_its_name_whatever_the_cause() {
        let starting = RunState::Starting { attempt: attempt(1) };
        let reconciling = RunState::Reconciling { attempt: attempt(1), absent: 0, first_absent: None };
        for cause in Cause::ALL {
            let mut counts = FailureCounts::default();
            counts.count(&reconciling, &ended(cause));
            assert_eq!(counts.missing.get(&1), Some(&attempt(1).name), "{cause}");
            counts.count(
                &reconciling,
                &RunEvent::OrphanFound { number: 1, backup: BackupId(1), name: BackupName::new("hf-other") },
            );
            assert_eq!(counts.missing.len(), 1, "another backup of that number");
            let name = attempt(1).name;
            counts.count(&reconciling, &RunEvent::OrphanFound { number: 1, backup: BackupId(1), name });
            assert_eq!(counts.missing.len(), 0);

            counts.count(&starting, &ended(cause));
            let is_unknown = matches!(cause, Cause::AnswerLost | Cause::DeadlinePassed);
            assert_eq!(counts.missing.len(), usize::from(is_unknown), "{cause}");
        }
    }
}
