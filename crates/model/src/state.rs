//! The run state machine: what a run is doing, what can happen to it, and the one function that moves it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Attempt, BackupFacts, BackupId, BackupStatus, Cause, Outcome, RunEvent, Timestamp, Verification,
};

/// What a run is doing. Data lives in the state it belongs to.
///
/// ```text
/// Planned --attempt_started--> Starting --accepted--> Polling --completed--> Verifying --ended--> Ended
///    |                          |    |                 ^    |                    |                  ^
///    |              answer_lost |    | deferred        |    | attempt_ended      | attempt_ended    |
///    |                          v    |         adopted |    |                    |                  |
///    |                      Reconciling-|-----------------+    |                    |                  |
///    |                          |    v                      v                    |                  |
///    +--deferred, refused---> Waiting <-----------------------------------------+------ ended -----+
///                               |  ^
///                attempt_started+  +-- absent long enough: attempt_ended
///
/// What is no backup:
/// Starting --operation_accepted--> PollingOperation --completed--> Verifying; PollingOperation --answer_lost--> Reconciling
/// Starting, Reconciling --completed--> Verifying
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// Due at its time; nothing has been asked of Azure.
    Planned,
    /// The intent to POST is committed. Whether the POST left is known to the worker that committed it, for as long
    /// as it lives, and to nobody else.
    Starting {
        /// The attempt.
        attempt: Attempt,
    },
    /// The request's fate is unknown: what it makes is looked for, such as a backup in the app's list.
    Reconciling {
        /// The attempt.
        attempt: Attempt,
        /// Looks that did not find it.
        absent: u32,
        /// When the first of them was.
        first_absent: Option<Timestamp>,
    },
    /// Azure accepted, and is asked until its answer is final.
    Polling {
        /// The attempt.
        attempt: Attempt,
        /// Azure's number for the backup.
        backup: BackupId,
        /// When Azure accepted it.
        accepted_at: Timestamp,
        /// The status last seen.
        status: BackupStatus,
    },
    /// Azure accepted what takes it a while and is no backup, and is asked until it is done.
    PollingOperation {
        /// The attempt.
        attempt: Attempt,
        /// Where ARM tells how it stands: a path.
        operation: String,
        /// When Azure accepted it.
        accepted_at: Timestamp,
    },
    /// Azure says it is done; what was done is checked.
    Verifying {
        /// The attempt.
        attempt: Attempt,
        /// The backup, where one was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup: Option<BackupFacts>,
        /// Checks that could not be made.
        checks: u32,
    },
    /// Between attempts.
    Waiting {
        /// What it waits because of.
        cause: Cause,
        /// The number the next attempt will have.
        next_attempt: u32,
        /// The fingerprint of the SAS that storage refused in the attempt before: the next one needs another.
        refused_sas: Option<String>,
    },
    /// Over. Nothing moves a run from here.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// Why, where it did not end well.
        cause: Option<Cause>,
        /// The backup it made, if any.
        backup: Option<BackupFacts>,
        /// What is known of the blob.
        verification: Option<Verification>,
    },
}

/// Failures counted so far, each kind against its own rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCounts {
    /// Attempts that Azure timed out.
    pub timed_out: u32,
    /// Attempts that Azure skipped.
    pub skipped: u32,
    /// Attempts that came out partial.
    pub partial: u32,
    /// Attempts that failed otherwise, and refused starts.
    pub transient: u32,
    /// Attempts given up because their answers stayed lost.
    pub lost: u32,
    /// The numbers of those whose backups may still turn up.
    pub missing: BTreeSet<u32>,
    /// Times put off since Azure last accepted an attempt.
    pub deferred: u32,
    /// The last partial backup: better than none, if no attempt does better.
    pub partial_backup: Option<BackupFacts>,
}

/// The event cannot happen in this state: a defect, or rows that were tampered with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run that is `{from}` cannot meet the event `{event}`")]
pub struct IllegalTransition {
    from: &'static str,
    event: &'static str,
}

impl IllegalTransition {
    /// Something other than `planned` or `missed` came first.
    pub(crate) fn at_birth(event: Option<&RunEvent>) -> Self {
        Self { from: "not yet made", event: event.map_or("none", RunEvent::name) }
    }
}

impl RunState {
    /// The state after `event`. Every legal pair is spelled out below; all others are refused.
    pub fn next(&self, event: &RunEvent) -> Result<Self, IllegalTransition> {
        let next = self.around_a_request(event).or_else(|| self.at_work(event));
        next.ok_or(IllegalTransition { from: self.code().as_str(), event: event.name() })
    }

    /// What happens between attempts, and until it is known whether Azure took a request on.
    fn around_a_request(&self, event: &RunEvent) -> Option<Self> {
        use RunEvent as E;
        use RunState as S;
        Some(match (self, event) {
            (S::Planned | S::Waiting { .. }, E::AttemptStarted { attempt, .. })
                if attempt.number == self.next_attempt() =>
            {
                S::Starting { attempt: attempt.clone() }
            }
            (S::Planned | S::Waiting { .. } | S::Starting { .. }, E::Deferred { cause, .. })
            | (S::Planned | S::Waiting { .. }, E::StartRefused { cause, .. }) => {
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
                }
            }
            _ => return None,
        })
    }

    /// What happens while Azure works, and when it has done so.
    fn at_work(&self, event: &RunEvent) -> Option<Self> {
        use RunEvent as E;
        use RunState as S;
        Some(match (self, event) {
            (S::Polling { attempt, backup, accepted_at, .. }, E::StatusSeen { status }) => S::Polling {
                attempt: attempt.clone(),
                backup: *backup,
                accepted_at: *accepted_at,
                status: status.clone(),
            },
            (
                S::Starting { attempt }
                | S::Reconciling { attempt, .. }
                | S::Polling { attempt, .. }
                | S::PollingOperation { attempt, .. },
                E::Completed { backup, .. },
            ) => S::Verifying { attempt: attempt.clone(), backup: backup.clone(), checks: 0 },
            (S::Verifying { attempt, backup, checks }, E::CheckFailed { .. }) => {
                S::Verifying { attempt: attempt.clone(), backup: backup.clone(), checks: checks + 1 }
            }
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
                S::Planned | S::Waiting { .. } | S::Verifying { .. },
                E::Ended { outcome, cause, backup, verification },
            ) => S::Ended {
                outcome: *outcome,
                cause: *cause,
                backup: backup.clone(),
                verification: *verification,
            },
            (state, E::SasRefreshed { .. } | E::OrphanFound { .. }) if !state.is_ended() => state.clone(),
            _ => return None,
        })
    }

    /// The number of the next attempt; for a state with an attempt, that attempt's own.
    pub fn next_attempt(&self) -> u32 {
        match self {
            Self::Waiting { next_attempt, .. } => *next_attempt,
            other => other.attempt().map_or(1, |attempt| attempt.number),
        }
    }

    /// The fingerprint of the SAS that must not be used again.
    pub fn refused_sas(&self) -> Option<&str> {
        match self {
            Self::Waiting { refused_sas, .. } => refused_sas.as_deref(),
            _ => None,
        }
    }

    /// The attempt under way.
    pub fn attempt(&self) -> Option<&Attempt> {
        match self {
            Self::Starting { attempt }
            | Self::Reconciling { attempt, .. }
            | Self::Polling { attempt, .. }
            | Self::PollingOperation { attempt, .. }
            | Self::Verifying { attempt, .. } => Some(attempt),
            Self::Planned | Self::Waiting { .. } | Self::Ended { .. } => None,
        }
    }

    /// Is it over?
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// May Azure be at work for it?
    pub fn is_in_flight(&self) -> bool {
        matches!(
            self,
            Self::Starting { .. }
                | Self::Reconciling { .. }
                | Self::Polling { .. }
                | Self::PollingOperation { .. }
        )
    }

    /// The state of a run that only writes something down.
    pub fn action_recorded() -> Self {
        Self::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None }
    }

    /// The state's plain code, for rows.
    pub fn code(&self) -> StateCode {
        match self {
            Self::Planned => StateCode::Planned,
            Self::Starting { .. } => StateCode::Starting,
            Self::Reconciling { .. } => StateCode::Reconciling,
            Self::Polling { .. } => StateCode::Polling,
            Self::PollingOperation { .. } => StateCode::PollingOperation,
            Self::Verifying { .. } => StateCode::Verifying,
            Self::Waiting { .. } => StateCode::Waiting,
            Self::Ended { .. } => StateCode::Ended,
        }
    }
}

fn polling(attempt: &Attempt, backup: BackupId, accepted_at: Timestamp) -> RunState {
    RunState::Polling { attempt: attempt.clone(), backup, accepted_at, status: BackupStatus::Created }
}

/// A [`RunState`] without its data, as rows and tables show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateCode {
    /// See [`RunState::Planned`].
    Planned,
    /// See [`RunState::Starting`].
    Starting,
    /// See [`RunState::Reconciling`].
    Reconciling,
    /// See [`RunState::Polling`].
    Polling,
    /// See [`RunState::PollingOperation`].
    PollingOperation,
    /// See [`RunState::Verifying`].
    Verifying,
    /// See [`RunState::Waiting`].
    Waiting,
    /// See [`RunState::Ended`].
    Ended,
}

impl StateCode {
    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Starting => "starting",
            Self::Reconciling => "reconciling",
            Self::Polling => "polling",
            Self::PollingOperation => "polling_operation",
            Self::Verifying => "verifying",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
        }
    }
}
