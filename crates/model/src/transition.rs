//! The state machine: the one function that moves a run.
//!
//! ```text
//! Planned --attempt_started--> Starting --accepted--> Polling --completed--> Verifying --ended--> Ended
//!    |                          |    |                 ^    |                    |                  ^
//!    |              answer_lost |    | deferred        |    | attempt_ended      | attempt_ended    |
//!    |                          v    |         adopted |    |                    |                  |
//!    |                      Reconciling-|-----------------+    |                    |                  |
//!    |                          |    v                      v                    |                  |
//!    +--deferred, refused---> Waiting <-----------------------------------------+------ ended -----+
//!                               |  ^
//!                attempt_started+  +-- absent long enough: attempt_ended
//!
//! Starting, Reconciling, Polling, PollingOperation --absent--> the same state, with one more look that found nothing
//! (Starting goes to Reconciling)
//!
//! What is no backup:
//! Starting --operation_accepted--> PollingOperation --completed--> Verifying; PollingOperation --answer_lost--> Reconciling
//! Starting, Reconciling --completed--> Verifying
//!
//! A catalog check: Planned, Waiting --backups_missing--> Comparing --backups_missing--> Comparing --ended--> Ended
//! ```

use crate::{Absences, Attempt, BackupId, BackupStatus, Cause, RunEvent, RunState, Timestamp};

/// The event cannot happen in this state: a defect, or rows that were tampered with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run in the state `{from}` refuses the event `{event}`")]
pub struct IllegalTransition {
    from: &'static str,
    event: &'static str,
}

impl IllegalTransition {
    /// The first event is none of those that create a run.
    pub(crate) fn at_birth(event: Option<&RunEvent>) -> Self {
        Self { from: "not created", event: event.map_or("none", RunEvent::name) }
    }
}

impl RunState {
    /// The state after `event`. Every legal pair is listed in the two functions below; all others are errors.
    pub fn next(&self, event: &RunEvent) -> Result<Self, IllegalTransition> {
        let next = self.after_request_event(event).or_else(|| self.after_work_event(event));
        next.ok_or(IllegalTransition { from: self.code().as_str(), event: event.name() })
    }

    /// Transitions between attempts, and until it is known whether Azure accepted the request.
    fn after_request_event(&self, event: &RunEvent) -> Option<Self> {
        use RunEvent as E;
        use RunState as S;
        Some(match (self, event) {
            (S::Planned | S::Waiting { .. }, E::AttemptStarted { attempt, .. })
                if attempt.number == self.next_attempt() =>
            {
                S::Starting { attempt: attempt.clone() }
            }
            (
                S::Planned | S::Waiting { .. } | S::Comparing { .. } | S::Starting { .. },
                E::Deferred { cause, .. },
            )
            | (S::Planned | S::Waiting { .. } | S::Comparing { .. }, E::StartRefused { cause, .. }) => {
                let refused_sas = self.refused_sas().map(ToOwned::to_owned);
                S::Waiting { cause: *cause, next_attempt: self.next_attempt(), refused_sas }
            }
            (S::Starting { attempt }, E::Accepted { backup, accepted_at, .. }) => {
                polling(attempt, *backup, *accepted_at)
            }
            (S::Starting { attempt } | S::PollingOperation { attempt, .. }, E::AnswerLost { .. }) => {
                S::Reconciling { attempt: attempt.clone(), absent: 0, first_absent: None }
            }
            (S::Starting { attempt }, E::Absent { looked_at }) => {
                S::Reconciling { attempt: attempt.clone(), absent: 1, first_absent: Some(*looked_at) }
            }
            (S::Reconciling { attempt, absent, first_absent }, E::Absent { looked_at }) => S::Reconciling {
                attempt: attempt.clone(),
                absent: absent + 1,
                first_absent: first_absent.or(Some(*looked_at)),
            },
            (
                S::Starting { .. } | S::Reconciling { .. } | S::Waiting { .. },
                E::Adopted { attempt, backup, accepted_at },
            ) => polling(attempt, *backup, *accepted_at),
            (S::Starting { attempt }, E::OperationAccepted { operation, accepted_at, .. }) => {
                S::PollingOperation {
                    attempt: attempt.clone(),
                    operation: operation.clone(),
                    accepted_at: *accepted_at,
                    absences: Absences::default(),
                }
            }
            _ => return None,
        })
    }

    /// Transitions while Azure works, and after its final answer.
    fn after_work_event(&self, event: &RunEvent) -> Option<Self> {
        use RunEvent as E;
        use RunState as S;
        Some(match (self, event) {
            (S::Polling { attempt, backup, accepted_at, .. }, E::StatusSeen { status }) => S::Polling {
                attempt: attempt.clone(),
                backup: *backup,
                accepted_at: *accepted_at,
                status: status.clone(),
                absences: Absences::default(),
            },
            (S::PollingOperation { attempt, operation, accepted_at, .. }, E::StatusSeen { .. }) => {
                S::PollingOperation {
                    attempt: attempt.clone(),
                    operation: operation.clone(),
                    accepted_at: *accepted_at,
                    absences: Absences::default(),
                }
            }
            (S::Polling { .. } | S::PollingOperation { .. }, E::Absent { looked_at }) => {
                self.clone().with_absence(*looked_at)
            }
            (
                S::Starting { attempt }
                | S::Reconciling { attempt, .. }
                | S::Polling { attempt, .. }
                | S::PollingOperation { attempt, .. },
                E::Completed { backup, .. },
            ) => S::Verifying {
                attempt: attempt.clone(),
                backup: backup.clone(),
                checks: 0,
                partial_log: None,
            },
            (S::Polling { attempt, .. }, E::PartiallyCompleted { backup, log }) => S::Verifying {
                attempt: attempt.clone(),
                backup: Some(backup.clone()),
                checks: 0,
                partial_log: Some(log.clone()),
            },
            (S::Verifying { .. }, E::CheckFailed { .. }) => self.clone().with_failed_check(),
            (
                S::Starting { attempt }
                | S::Reconciling { attempt, .. }
                | S::Polling { attempt, .. }
                | S::PollingOperation { attempt, .. }
                | S::Verifying { attempt, .. },
                E::AttemptEnded { number, cause, .. },
            ) if *number == attempt.number => S::Waiting {
                cause: *cause,
                next_attempt: number + 1,
                refused_sas: matches!(cause, Cause::StorageRefused | Cause::DeleteFailed)
                    .then(|| attempt.sas.clone()),
            },
            (
                S::Planned | S::Waiting { .. } | S::Comparing { .. } | S::Verifying { .. },
                E::Ended { outcome, cause, backup, verification },
            ) => S::Ended {
                outcome: *outcome,
                cause: *cause,
                backup: backup.clone(),
                verification: *verification,
            },
            // Azure was not asked, or has answered: nothing of the run is under way there.
            (S::Planned | S::Waiting { .. } | S::Comparing { .. }, E::CancelRequested { .. }) => self.clone(),
            (state, E::SasRefreshed { .. } | E::OrphanFound { .. }) if !state.is_ended() => state.clone(),
            (state, event) => return state.after_finding(event),
        })
    }

    /// The same state after one more check that failed.
    fn with_failed_check(mut self) -> Self {
        if let Self::Verifying { checks, .. } = &mut self {
            *checks += 1;
        }
        self
    }

    /// The same state after one more look that found nothing.
    fn with_absence(mut self, looked_at: Timestamp) -> Self {
        if let Self::Polling { absences, .. } | Self::PollingOperation { absences, .. } = &mut self {
            *absences = absences.with(looked_at);
        }
        self
    }

    /// Transitions of a catalog check. Its findings change the catalog and not the run.
    fn after_finding(&self, event: &RunEvent) -> Option<Self> {
        use RunEvent as E;
        use RunState as S;
        match (self, event) {
            (S::Planned | S::Waiting { next_attempt: 1, .. }, E::BackupsMissing { backups, .. }) => {
                Some(S::Comparing { missing: backups.clone(), looks: 1 })
            }
            (S::Comparing { looks, .. }, E::BackupsMissing { backups, .. }) => {
                Some(S::Comparing { missing: backups.clone(), looks: looks + 1 })
            }
            (
                S::Planned | S::Waiting { .. } | S::Comparing { .. },
                E::BackupLost { .. }
                | E::BackupFoundAgain { .. }
                | E::BackupChanged { .. }
                | E::BackupVerified { .. }
                | E::LateBackupFound { .. }
                | E::ScheduleCompared { .. },
            ) => Some(self.clone()),
            _ => None,
        }
    }
}

fn polling(attempt: &Attempt, backup: BackupId, accepted_at: Timestamp) -> RunState {
    let (attempt, status) = (attempt.clone(), BackupStatus::Created);
    RunState::Polling { attempt, backup, accepted_at, status, absences: Absences::default() }
}
