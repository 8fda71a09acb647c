//! Events of a run.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::schedule::MissReason;
use crate::{
    Actor, Attempt, BackupFacts, BackupId, BackupName, BackupStatus, Cause, MissingBackup, NativeSchedule,
    OperatorAction, Outcome, RunId, SasFacts, SasRefresh, StorageName, Task, Timestamp, Trigger,
    Verification,
};

/// What happened to a run: one row of the audit each. Folded in order they rebuild the run's state ([`crate::Fold`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "event", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RunEvent {
    /// The run was planned.
    Planned {
        /// The tick it stands for; `None` for a run that no tick caused.
        tick: Option<Timestamp>,
        /// Who requested it.
        trigger: Trigger,
        /// What the run does.
        #[serde(default, skip_serializing_if = "Task::is_plain_backup")]
        task: Task,
        /// The person, where a person requested it.
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        actor: Option<Actor>,
    },
    /// An operator's action was recorded.
    ActionRecorded {
        /// The action.
        action: OperatorAction,
        /// The person.
        #[serde(flatten)]
        actor: Actor,
    },
    /// A tick is not run.
    Missed {
        /// The tick.
        tick: Timestamp,
        /// Why.
        reason: MissReason,
    },
    /// The intent to request the operation from Azure.
    AttemptStarted {
        /// The attempt.
        attempt: Attempt,
        /// The SAS it sends; `None` when it sends none.
        sas: Option<SasFacts>,
    },
    /// No attempt could start. Counts as a failure, but uses no attempt number.
    StartRefused {
        /// Why.
        cause: Cause,
        /// The error as text.
        detail: String,
        /// When the next attempt is due, if there is one.
        retry_at: Option<Timestamp>,
    },
    /// The attempt was deferred and starts later under the same number. No failure counts.
    Deferred {
        /// Why.
        cause: Cause,
        /// The error as text.
        detail: String,
        /// When the next step is due.
        until: Timestamp,
    },
    /// Azure accepted the POST.
    Accepted {
        /// Azure's number for the backup.
        backup: BackupId,
        /// When Azure accepted it.
        accepted_at: Timestamp,
        /// Azure's request id, which Microsoft's support asks for.
        request_id: Option<String>,
    },
    /// Azure accepted a long-running operation that is not a backup.
    OperationAccepted {
        /// The path of the operation's status in ARM.
        operation: String,
        /// When Azure accepted it.
        accepted_at: Timestamp,
        /// Azure's request id, which Microsoft's support asks for.
        request_id: Option<String>,
    },
    /// The request was sent, but its answer did not arrive or could not be read.
    AnswerLost {
        /// The error as text.
        detail: String,
    },
    /// A lookup did not find what the request did, such as the backup in the app's list.
    Absent {
        /// When the lookup was.
        looked_at: Timestamp,
    },
    /// A lookup found the backup.
    Adopted {
        /// The attempt that created it.
        attempt: Attempt,
        /// Azure's number for it.
        backup: BackupId,
        /// When Azure accepted it.
        accepted_at: Timestamp,
    },
    /// A backup turned up after its attempt had ended: an attempt of this run, or of an earlier run of the app.
    /// Retention needs its record.
    OrphanFound {
        /// The number of the attempt that created it.
        number: u32,
        /// Azure's number for it.
        backup: BackupId,
        /// Its name.
        name: BackupName,
    },
    /// Azure reported another status.
    StatusSeen {
        /// The status.
        status: BackupStatus,
    },
    /// Azure reports that the operation is done.
    Completed {
        /// The backup, for a run that makes one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup: Option<BackupFacts>,
        /// Further text from Azure, without secrets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// Azure reports that files are missing from the backup. It counts as good under the policy once it is checked.
    PartiallyCompleted {
        /// The backup.
        backup: BackupFacts,
        /// Azure's log, without secrets.
        log: String,
    },
    /// The result could not be checked, or is not complete yet.
    CheckFailed {
        /// The error as text.
        detail: String,
    },
    /// The attempt failed.
    AttemptEnded {
        /// Its number.
        number: u32,
        /// Azure's final status, if there was one.
        status: Option<BackupStatus>,
        /// Why.
        cause: Cause,
        /// Azure's log without secrets, or the error as text.
        detail: String,
        /// The backup it leaves or may still leave: partial, not trusted or late.
        backup: Option<BackupFacts>,
        /// When the next attempt is due, if there is one.
        retry_at: Option<Timestamp>,
    },
    /// A SAS was replaced on behalf of this run.
    SasRefreshed {
        /// The replacement.
        refresh: SasRefresh,
    },
    /// A look did not find backups of the catalog. One look proves nothing: the next one decides.
    BackupsMissing {
        /// The backups.
        backups: Vec<MissingBackup>,
        /// When the look was.
        looked_at: Timestamp,
    },
    /// A backup of the catalog is gone, or is no longer whole.
    BackupLost {
        /// The backup.
        backup: BackupId,
        /// Its blob. The number may be another backup's by now.
        blob: String,
        /// What is missing.
        detail: String,
        /// The deletion by Holdfast whose answer was lost, if that is why it is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deletion: Option<RunId>,
    },
    /// A backup that counted as lost is back and whole.
    BackupFoundAgain {
        /// The backup.
        backup: BackupId,
        /// Its blob.
        blob: String,
    },
    /// Azure lists a backup of the catalog otherwise than it was recorded. It is not good until its blob is verified.
    BackupChanged {
        /// The backup.
        backup: BackupId,
        /// Its blob, as it was recorded.
        blob: String,
        /// What Azure says now. The record has it from here on.
        now: BackupFacts,
        /// The differences that the record follows, each as text.
        updates: Vec<String>,
        /// The differences that last, each as text.
        differences: Vec<String>,
    },
    /// The blob of a backup that had not been verified is whole.
    BackupVerified {
        /// The backup.
        backup: BackupId,
        /// Its blob.
        blob: String,
        /// The blob's size.
        size_bytes: i64,
    },
    /// A backup of a run that had ended turned up, or was finished after its run had ended.
    LateBackupFound {
        /// The backup.
        backup: BackupFacts,
        /// The run that requested it.
        run: RunId,
        /// The storage that holds its blob.
        storage: StorageName,
        /// Whether it is complete, so that it counts for the recovery point objective.
        good: bool,
        /// Whether its blob was read.
        verified: bool,
    },
    /// Azure's own schedule of the app was compared with the policy's, and differs, or differs no longer.
    ScheduleCompared {
        /// The schedule that Azure has.
        found: Option<NativeSchedule>,
        /// Each difference as text; empty when there is none.
        drift: Vec<String>,
    },
    /// A person cancelled the run. It ends in the same change.
    CancelRequested {
        /// Why.
        reason: String,
        /// The person.
        #[serde(flatten)]
        actor: Actor,
    },
    /// The run is over.
    Ended {
        /// How it ended.
        outcome: Outcome,
        /// Why, unless it succeeded.
        cause: Option<Cause>,
        /// The backup, if any.
        backup: Option<BackupFacts>,
        /// What is known of the blob.
        verification: Option<Verification>,
    },
}

impl RunEvent {
    /// The event's name in rows.
    pub fn name(&self) -> &'static str {
        self.into()
    }
}
