//! Why things end otherwise than well: one list, the same as in `docs/answers.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an attempt failed, a run ended otherwise than well, or a step was put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Azure gave up because it took too long.
    TimedOut,
    /// Azure made none, because too many were asked for.
    Skipped,
    /// Azure left files out.
    PartiallySucceeded,
    /// Azure could not use the storage: mostly an expired or wrong SAS.
    StorageRefused,
    /// The app or its database is over Azure's limit of size.
    TooLarge,
    /// Azure failed, and its log names no reason we know.
    AzureFailed,
    /// Somebody deleted the backup while it was being made.
    DeletedOutside,
    /// Azure had no final answer by the policy's deadline.
    DeadlinePassed,
    /// The POST's answer was lost and its backup never appeared.
    AnswerLost,
    /// No SAS that will do could be had.
    SasUnusable,
    /// Azure says succeeded; the blob or its manifest is not there.
    BlobMissing,
    /// Azure says succeeded; the blob is empty.
    BlobEmpty,
    /// Azure says succeeded; the blob is much smaller than the last good one.
    BlobShrunk,
    /// Azure does not know the app.
    AppNotFound,
    /// The credential may not back up the app.
    AppForbidden,
    /// Azure refused the request itself.
    Rejected,
    /// Azure asked us to wait.
    Throttled,
    /// Another operation is under way on the app or its plan.
    Busy,
    /// Azure or storage could not be reached.
    Unreachable,
    /// The credential was refused.
    CredentialRefused,
    /// The tick was older than the policy's `catch_up` when it was seen.
    TooLate,
    /// A later tick was caught up instead.
    Superseded,
    /// The app's run before it had not ended.
    Overlap,
    /// Azure left databases out that were asked for.
    DatabasesDropped,
    /// Azure does not know the backup, or it is gone.
    BackupNotFound,
    /// Azure says that the restore failed.
    RestoreFailed,
    /// Azure could not delete the backup: mostly because the SAS it keeps has lapsed.
    DeleteFailed,
    /// The restored app does not answer as it should.
    ProbeFailed,
    /// The backup must be kept after all: it is held, the last good one, being restored, or its number is another's by now.
    Kept,
    /// A database's connection string cannot be read.
    DatabaseSecret,
}

/// Which retry rule a cause falls under.
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
    /// A rule that is the same for every policy, since our own crashes end so too: no fleet file sets it.
    Lost,
    /// No retry can help.
    Permanent,
}

impl Cause {
    /// Every cause, for tables and tests.
    pub const ALL: [Self; 30] = [
        Self::TimedOut,
        Self::Skipped,
        Self::PartiallySucceeded,
        Self::StorageRefused,
        Self::TooLarge,
        Self::AzureFailed,
        Self::DeletedOutside,
        Self::DeadlinePassed,
        Self::AnswerLost,
        Self::SasUnusable,
        Self::BlobMissing,
        Self::BlobEmpty,
        Self::BlobShrunk,
        Self::AppNotFound,
        Self::AppForbidden,
        Self::Rejected,
        Self::Throttled,
        Self::Busy,
        Self::Unreachable,
        Self::CredentialRefused,
        Self::TooLate,
        Self::Superseded,
        Self::Overlap,
        Self::DatabasesDropped,
        Self::BackupNotFound,
        Self::RestoreFailed,
        Self::DeleteFailed,
        Self::ProbeFailed,
        Self::Kept,
        Self::DatabaseSecret,
    ];

    /// The retry rule it falls under.
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
            | Self::CredentialRefused
            | Self::RestoreFailed
            | Self::DeleteFailed
            | Self::DatabaseSecret => RetryClass::Transient,
            Self::TooLarge
            | Self::DeletedOutside
            | Self::DeadlinePassed
            | Self::AppNotFound
            | Self::AppForbidden
            | Self::Rejected
            | Self::TooLate
            | Self::Superseded
            | Self::Overlap
            | Self::DatabasesDropped
            | Self::BackupNotFound
            | Self::ProbeFailed
            | Self::Kept => RetryClass::Permanent,
        }
    }

    /// Whether the attempt made a backup that will do where there is no better: with something missing.
    pub fn leaves_partial(self) -> bool {
        matches!(self, Self::PartiallySucceeded | Self::DatabasesDropped)
    }

    /// The word in rows and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
            Self::PartiallySucceeded => "partially_succeeded",
            Self::StorageRefused => "storage_refused",
            Self::TooLarge => "too_large",
            Self::AzureFailed => "azure_failed",
            Self::DeletedOutside => "deleted_outside",
            Self::DeadlinePassed => "deadline_passed",
            Self::AnswerLost => "answer_lost",
            Self::SasUnusable => "sas_unusable",
            Self::BlobMissing => "blob_missing",
            Self::BlobEmpty => "blob_empty",
            Self::BlobShrunk => "blob_shrunk",
            Self::AppNotFound => "app_not_found",
            Self::AppForbidden => "app_forbidden",
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Busy => "busy",
            Self::Unreachable => "unreachable",
            Self::CredentialRefused => "credential_refused",
            Self::TooLate => "too_late",
            Self::Superseded => "superseded",
            Self::Overlap => "overlap",
            Self::DatabasesDropped => "databases_dropped",
            Self::BackupNotFound => "backup_not_found",
            Self::RestoreFailed => "restore_failed",
            Self::DeleteFailed => "delete_failed",
            Self::ProbeFailed => "probe_failed",
            Self::Kept => "kept",
            Self::DatabaseSecret => "database_secret",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_causes_word_is_the_one_it_is_written_with() {
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }

    #[test]
    fn the_table_in_the_docs_has_every_cause() {
        let docs = include_str!("../../../docs/answers.md");
        for cause in Cause::ALL {
            let row = format!("| `{cause}` | {:?} |", cause.retry_class());
            assert!(docs.contains(&row), "docs/answers.md lacks this row:\n{row}");
        }
    }
}
