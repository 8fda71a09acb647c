//! Why attempts fail, runs end without success and steps are deferred: the same list as in `docs/answers.md`.

use crate::schedule::MissReason;
use crate::words::words;

words! {
    /// Why an attempt failed, a run ended without success, or a step was deferred.
    pub enum Cause {
        /// Azure gave up because the backup took too long.
        TimedOut,
        /// Azure made no backup because too many were requested.
        Skipped,
        /// Azure left files out of the backup.
        PartiallySucceeded,
        /// Azure could not use the storage, mostly because the SAS expired or is wrong.
        StorageRefused,
        /// A database of the backup refused the connection or the export.
        DatabaseRefused,
        /// The app or its database exceeds Azure's size limit.
        TooLarge,
        /// Azure failed, and its log names no known reason.
        AzureFailed,
        /// The backup was deleted outside Holdfast while Azure made it.
        DeletedOutside,
        /// Azure had no final answer by the policy's deadline.
        DeadlinePassed,
        /// The POST's answer was lost, and its backup never appeared.
        AnswerLost,
        /// No usable SAS could be obtained.
        SasUnusable,
        /// Azure reports success, but the blob or its manifest does not exist.
        BlobMissing,
        /// Azure reports success, but the blob is empty.
        BlobEmpty,
        /// Azure reports success, but the blob is much smaller than the last good one.
        BlobShrunk,
        /// Azure does not know the app.
        AppNotFound,
        /// The credential may not back up the app, or its role is not in force yet.
        AppForbidden,
        /// Azure does not back up apps of this tier or kind.
        AppUnsupported,
        /// Azure rejected the request itself.
        Rejected,
        /// Azure throttled the request.
        Throttled,
        /// Another operation is in progress on the app or its plan.
        Busy,
        /// Azure or storage could not be reached.
        Unreachable,
        /// This process or machine has no file descriptor left.
        TooManyOpenFiles,
        /// Azure refused the credential.
        CredentialRefused,
        /// The tick was older than the policy's `catch_up` when the planner saw it.
        TooLate,
        /// A later tick was caught up instead.
        Superseded,
        /// The app's previous run had not ended.
        Overlap,
        /// Azure left out databases that were requested.
        DatabasesDropped,
        /// Azure does not know the backup, or it was deleted.
        BackupNotFound,
        /// Azure reports that the restore failed.
        RestoreFailed,
        /// Azure could not delete the backup, mostly because the SAS stored with it expired.
        DeleteFailed,
        /// The restored app does not answer its probe.
        ProbeFailed,
        /// The backup may not be deleted: it is held, the last good one, being restored, or its number was reused.
        Protected,
        /// A backup that must stay before this one may be deleted was not found, or not whole.
        StandInMissing,
        /// A database's connection string could not be read.
        DatabaseSecret,
        /// The app's native schedule was changed or removed outside Holdfast, so its SAS was not renewed.
        ScheduleChanged,
        /// Azure accepted a native schedule, and shows another one when it is read back.
        ScheduleNotTaken,
        /// A person cancelled the run.
        Cancelled,
    }
}

/// The retry rule that counts a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RetryClass {
    /// `retry.timed_out`.
    TimedOut,
    /// `retry.skipped`.
    Skipped,
    /// `retry.partial`.
    Partial,
    /// `retry.transient`.
    Transient,
    /// A fixed rule that no fleet file sets, because Holdfast's own crashes count too.
    Lost,
    /// No retry: it could not help.
    Permanent,
}

impl Cause {
    /// The retry rule that counts it.
    pub fn retry_class(self) -> RetryClass {
        match self {
            Self::TimedOut => RetryClass::TimedOut,
            Self::Skipped => RetryClass::Skipped,
            Self::PartiallySucceeded => RetryClass::Partial,
            Self::AnswerLost => RetryClass::Lost,
            Self::StorageRefused
            | Self::AzureFailed
            | Self::SasUnusable
            | Self::BlobMissing
            | Self::BlobEmpty
            | Self::BlobShrunk
            | Self::Throttled
            | Self::Busy
            | Self::Unreachable
            | Self::TooManyOpenFiles
            | Self::RestoreFailed
            | Self::DeleteFailed
            | Self::DatabaseSecret => RetryClass::Transient,
            Self::DatabaseRefused
            | Self::TooLarge
            | Self::DeletedOutside
            | Self::DeadlinePassed
            | Self::AppNotFound
            | Self::AppForbidden
            | Self::AppUnsupported
            | Self::Rejected
            | Self::CredentialRefused
            | Self::TooLate
            | Self::Superseded
            | Self::Overlap
            | Self::DatabasesDropped
            | Self::BackupNotFound
            | Self::ProbeFailed
            | Self::Protected
            | Self::ScheduleChanged
            | Self::ScheduleNotTaken
            | Self::StandInMissing
            | Self::Cancelled => RetryClass::Permanent,
        }
    }

    /// Whether it mostly lasts until a person removes it.
    pub fn needs_operator(self) -> bool {
        matches!(
            self,
            Self::CredentialRefused | Self::SasUnusable | Self::AppForbidden | Self::DatabaseSecret
        )
    }

    /// Whether the attempt left a partial backup, which is the run's result if no attempt does better.
    pub fn leaves_partial(self) -> bool {
        matches!(self, Self::PartiallySucceeded | Self::DatabasesDropped)
    }
}

impl From<MissReason> for Cause {
    fn from(reason: MissReason) -> Self {
        match reason {
            MissReason::TooLate => Self::TooLate,
            MissReason::Superseded => Self::Superseded,
            MissReason::Overlap => Self::Overlap,
            MissReason::Unsupported => Self::AppUnsupported,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_docs_has_every_cause() {
        let docs = include_str!("../../../docs/answers.md");
        for cause in Cause::ALL {
            let row = format!("| `{cause}` | {:?} |", cause.retry_class());
            assert!(docs.contains(&row), "docs/answers.md lacks this row:\n{row}");
        }
    }
}
