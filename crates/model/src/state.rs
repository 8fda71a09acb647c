//! What a run is doing.

use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{
    Attempt, BackupFacts, BackupId, BackupStatus, Cause, MissingBackup, Outcome, Timestamp, Verification,
};

/// What a run is doing. Data lives in the state it belongs to. `RunState::next` moves it (`transition.rs`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RunState {
    /// Waits for its due time. Nothing was requested of Azure.
    Planned,
    /// The intent to POST is committed. Only the worker that committed it knows whether the POST was sent.
    Starting {
        /// The attempt.
        attempt: Attempt,
    },
    /// The result of the request is unknown; the step looks for what it creates, such as a backup in the app's list.
    Reconciling {
        /// The attempt.
        attempt: Attempt,
        /// Lookups that did not find it.
        absent: u32,
        /// When the first of those lookups was.
        first_absent: Option<Timestamp>,
    },
    /// Azure accepted the backup; steps poll it until its status is final.
    Polling {
        /// The attempt.
        attempt: Attempt,
        /// Azure's number for the backup.
        backup: BackupId,
        /// When Azure accepted it.
        accepted_at: Timestamp,
        /// The status last seen.
        status: BackupStatus,
        /// Looks in a row that did not find the backup.
        #[serde(default, skip_serializing_if = "Absences::is_empty")]
        absences: Absences,
    },
    /// Azure accepted a long-running operation that is not a backup; steps poll it until it ends.
    PollingOperation {
        /// The attempt.
        attempt: Attempt,
        /// The path of the operation's status in ARM.
        operation: String,
        /// When Azure accepted it.
        accepted_at: Timestamp,
        /// Looks in a row that found neither the operation nor its effect.
        #[serde(default, skip_serializing_if = "Absences::is_empty")]
        absences: Absences,
    },
    /// Azure reports success, or a partial backup that would count as good; steps check the result.
    Verifying {
        /// The attempt.
        attempt: Attempt,
        /// The backup, for a run that makes one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup: Option<BackupFacts>,
        /// Checks that failed to run.
        checks: u32,
        /// Azure's log of a partial backup; `None` where Azure reports full success.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partial_log: Option<String>,
    },
    /// A look did not find backups of the catalog; the next look decides whether they are lost.
    Comparing {
        /// The backups that the last look did not find.
        missing: Vec<MissingBackup>,
        /// Looks so far.
        looks: u32,
    },
    /// Waits between attempts.
    Waiting {
        /// Why the run waits.
        cause: Cause,
        /// The number of the next attempt.
        next_attempt: u32,
        /// Fingerprint of the SAS that storage refused in the last attempt; the next attempt needs another one.
        refused_sas: Option<String>,
    },
    /// The run is over. No event moves it from here.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// Why, unless it succeeded.
        cause: Option<Cause>,
        /// The backup that it created, if any.
        backup: Option<BackupFacts>,
        /// What is known of the blob.
        verification: Option<Verification>,
    },
}

/// Looks in a row that did not find what a request did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absences {
    /// How many.
    pub looks: u32,
    /// When the first was.
    pub first_at: Option<Timestamp>,
}

impl Absences {
    /// With one more look.
    #[must_use]
    pub fn with(self, looked_at: Timestamp) -> Self {
        Self { looks: self.looks + 1, first_at: self.first_at.or(Some(looked_at)) }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl RunState {
    /// Looks in a row that did not find what the attempt's request did.
    pub fn absences(&self) -> Absences {
        match self {
            Self::Reconciling { absent, first_absent, .. } => {
                Absences { looks: *absent, first_at: *first_absent }
            }
            Self::Polling { absences, .. } | Self::PollingOperation { absences, .. } => *absences,
            _ => Absences::default(),
        }
    }

    /// The number of the next attempt; in a state with an attempt, that attempt's own number.
    pub fn next_attempt(&self) -> u32 {
        match self {
            Self::Waiting { next_attempt, .. } => *next_attempt,
            other => other.attempt().map_or(1, |attempt| attempt.number),
        }
    }

    /// Fingerprint of the SAS that must not be used again.
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
            Self::Planned | Self::Comparing { .. } | Self::Waiting { .. } | Self::Ended { .. } => None,
        }
    }

    /// Whether the run is over.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }

    /// Whether Azure may be working for the run.
    pub fn is_in_flight(&self) -> bool {
        matches!(
            self,
            Self::Starting { .. }
                | Self::Reconciling { .. }
                | Self::Polling { .. }
                | Self::PollingOperation { .. }
        )
    }

    /// The state of a run that records an operator's action.
    pub fn action_recorded() -> Self {
        Self::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None }
    }

    /// The state without its data, for rows.
    pub fn code(&self) -> StateCode {
        match self {
            Self::Planned => StateCode::Planned,
            Self::Starting { .. } => StateCode::Starting,
            Self::Reconciling { .. } => StateCode::Reconciling,
            Self::Polling { .. } => StateCode::Polling,
            Self::PollingOperation { .. } => StateCode::PollingOperation,
            Self::Verifying { .. } => StateCode::Verifying,
            Self::Comparing { .. } => StateCode::Comparing,
            Self::Waiting { .. } => StateCode::Waiting,
            Self::Ended { .. } => StateCode::Ended,
        }
    }
}

words! {
    /// A [`RunState`] without its data, as rows and tables show it.
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
        /// See [`RunState::Comparing`].
        Comparing,
        /// See [`RunState::Waiting`].
        Waiting,
        /// See [`RunState::Ended`].
        Ended,
    }
}
