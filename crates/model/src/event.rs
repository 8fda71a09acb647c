//! What happens to a run.

use serde::{Deserialize, Serialize};

use crate::schedule::MissReason;
use crate::{
    Attempt, BackupFacts, BackupId, BackupName, BackupStatus, Cause, OperatorAction, Outcome, SasFacts,
    SasRefresh, Task, Timestamp, Trigger, Verification,
};

/// What happened to a run: each is one row of the audit, and together they make the run's state again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The run came to be.
    Planned {
        /// The tick it stands for; `None` for one asked for by hand.
        tick: Option<Timestamp>,
        /// Who asked.
        trigger: Trigger,
        /// What for.
        #[serde(default, skip_serializing_if = "Task::is_plain_backup")]
        task: Task,
        /// Who asked, by name, where a person did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
    },
    /// Something that happened outside of runs.
    ActionRecorded {
        /// What.
        action: OperatorAction,
        /// Who did it or found it.
        actor: String,
    },
    /// A tick that is not run.
    Missed {
        /// The tick.
        tick: Timestamp,
        /// Why.
        reason: MissReason,
    },
    /// The intent to ask Azure for it.
    AttemptStarted {
        /// The attempt.
        attempt: Attempt,
        /// The life of the SAS it sends; `None` when it sends none.
        sas: Option<SasFacts>,
    },
    /// No attempt could be made; counts as a failure, but no attempt number is used up.
    StartRefused {
        /// Why.
        cause: Cause,
        /// In words.
        detail: String,
        /// When the next try is due, if there is one.
        retry_at: Option<Timestamp>,
    },
    /// Put off, at no fault of the run: the same attempt is made later.
    Deferred {
        /// Why.
        cause: Cause,
        /// In words.
        detail: String,
        /// Until when.
        until: Timestamp,
    },
    /// Azure accepted the POST.
    Accepted {
        /// Azure's number for the backup.
        backup: BackupId,
        /// When.
        accepted_at: Timestamp,
        /// Azure's id for the request, for Microsoft's support.
        request_id: Option<String>,
    },
    /// Azure accepted what takes it a while and is no backup.
    OperationAccepted {
        /// Where ARM tells how it stands: a path.
        operation: String,
        /// When.
        accepted_at: Timestamp,
        /// Azure's id for the request, for Microsoft's support.
        request_id: Option<String>,
    },
    /// The POST left and its answer did not come, or could not be read.
    AnswerLost {
        /// In words.
        detail: String,
    },
    /// The backup was looked for and is not in the app's list.
    Absent {
        /// When it was looked for.
        looked_at: Timestamp,
    },
    /// The backup was looked for and found.
    Adopted {
        /// The attempt that made it.
        attempt: Attempt,
        /// Azure's number for it.
        backup: BackupId,
        /// When Azure accepted it.
        accepted_at: Timestamp,
    },
    /// A backup of an earlier attempt of this run turned up when another had begun. It is recorded so that
    /// retention knows it.
    OrphanFound {
        /// The number of the attempt that made it.
        number: u32,
        /// Azure's number for it.
        backup: BackupId,
        /// Its name.
        name: BackupName,
    },
    /// Azure's status changed.
    StatusSeen {
        /// To this.
        status: BackupStatus,
    },
    /// Azure has done what was asked.
    Completed {
        /// The backup, where one was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup: Option<BackupFacts>,
        /// What Azure says beside it, without secrets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// What was done could not be checked, or does not hold yet.
    CheckFailed {
        /// In words.
        detail: String,
    },
    /// The attempt failed.
    AttemptEnded {
        /// Its number.
        number: u32,
        /// Azure's final status, where there was one.
        status: Option<BackupStatus>,
        /// Why.
        cause: Cause,
        /// In words: Azure's log without secrets, or the error.
        detail: String,
        /// What was made all the same, or may still be: a partial backup, one that is not trusted, one that is late.
        backup: Option<BackupFacts>,
        /// When the next attempt is due, if there is one.
        retry_at: Option<Timestamp>,
    },
    /// A SAS was replaced on behalf of this run.
    SasRefreshed {
        /// Which, why, and what gave way to what.
        refresh: SasRefresh,
    },
    /// The run is over.
    Ended {
        /// How.
        outcome: Outcome,
        /// Why, where not well.
        cause: Option<Cause>,
        /// The backup, if any.
        backup: Option<BackupFacts>,
        /// What is known of the blob.
        verification: Option<Verification>,
    },
}

impl RunEvent {
    /// The event's word in rows.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Planned { .. } => "planned",
            Self::Missed { .. } => "missed",
            Self::ActionRecorded { .. } => "action_recorded",
            Self::AttemptStarted { .. } => "attempt_started",
            Self::StartRefused { .. } => "start_refused",
            Self::Deferred { .. } => "deferred",
            Self::Accepted { .. } => "accepted",
            Self::OperationAccepted { .. } => "operation_accepted",
            Self::AnswerLost { .. } => "answer_lost",
            Self::Absent { .. } => "absent",
            Self::Adopted { .. } => "adopted",
            Self::OrphanFound { .. } => "orphan_found",
            Self::StatusSeen { .. } => "status_seen",
            Self::Completed { .. } => "completed",
            Self::CheckFailed { .. } => "check_failed",
            Self::AttemptEnded { .. } => "attempt_ended",
            Self::SasRefreshed { .. } => "sas_refreshed",
            Self::Ended { .. } => "ended",
        }
    }
}
