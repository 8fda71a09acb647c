//! What an answer of Azure's means for a backup run: one table, the same as in `docs/answers.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::BackupStatus;

/// An answer, as far as it decides what a backup run does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// `Created`.
    Created,
    /// `InProgress`.
    InProgress,
    /// `Succeeded`.
    Succeeded,
    /// `PartiallySucceeded`.
    PartiallySucceeded,
    /// `TimedOut`.
    TimedOut,
    /// `Skipped`.
    Skipped,
    /// `Failed`, and the log says that storage answered 403 or 404.
    FailedAtStorage,
    /// `Failed`, and the log says that the app or its database is over Azure's limit of size.
    FailedTooLarge,
    /// `Failed` for any other reason.
    Failed,
    /// `DeleteInProgress`, `Deleted` or `DeleteFailed` while the backup was being made.
    Deleting,
    /// A word that is none of the ten.
    Unknown,
}

/// What a backup run does about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Ask again, until the deadline.
    AskAgain,
    /// Ask again, until the deadline, and warn: the word is new.
    AskAgainAndWarn,
    /// Check the blob; then the run has succeeded.
    CheckBlob,
    /// The attempt has failed; the cause's retry rule decides whether another begins.
    Fail(Cause),
}

/// The table.
pub const BACKUP_ANSWERS: [(Answer, Then); 11] = [
    (Answer::Created, Then::AskAgain),
    (Answer::InProgress, Then::AskAgain),
    (Answer::Succeeded, Then::CheckBlob),
    (Answer::PartiallySucceeded, Then::Fail(Cause::PartiallySucceeded)),
    (Answer::TimedOut, Then::Fail(Cause::TimedOut)),
    (Answer::Skipped, Then::Fail(Cause::Skipped)),
    (Answer::FailedAtStorage, Then::Fail(Cause::StorageRefused)),
    (Answer::FailedTooLarge, Then::Fail(Cause::TooLarge)),
    (Answer::Failed, Then::Fail(Cause::AzureFailed)),
    (Answer::Deleting, Then::Fail(Cause::DeletedOutside)),
    (Answer::Unknown, Then::AskAgainAndWarn),
];

impl Answer {
    /// The answer that a status and a log make.
    pub fn of(status: &BackupStatus, log: Option<&str>) -> Self {
        match status {
            BackupStatus::Created => Self::Created,
            BackupStatus::InProgress => Self::InProgress,
            BackupStatus::Succeeded => Self::Succeeded,
            BackupStatus::PartiallySucceeded => Self::PartiallySucceeded,
            BackupStatus::TimedOut => Self::TimedOut,
            BackupStatus::Skipped => Self::Skipped,
            BackupStatus::Failed => classify_log(log.unwrap_or_default()),
            BackupStatus::DeleteInProgress | BackupStatus::Deleted | BackupStatus::DeleteFailed => {
                Self::Deleting
            }
            BackupStatus::Unknown(_) => Self::Unknown,
        }
    }

    /// The table's entry for this answer.
    pub fn then(self) -> Then {
        let row = BACKUP_ANSWERS.iter().find(|(answer, _)| *answer == self);
        // A test holds every answer against the table; one that is missing is asked about again.
        row.map_or(Then::AskAgainAndWarn, |(_, then)| *then)
    }
}

/// What to do about a status and a log.
pub fn answer_to(status: &BackupStatus, log: Option<&str>) -> Then {
    Answer::of(status, log).then()
}

/// Reads the reason out of a failed backup's log. The texts are those of public issue threads
/// (`azure/wire.md`, section 2): storage's own answer in parentheses, and the limit of size.
pub fn classify_log(log: &str) -> Answer {
    let log = log.to_lowercase();
    let storage = log.contains("storage access failed") || log.contains("remote server returned an error");
    if storage && (log.contains("(403)") || log.contains("(404)")) {
        Answer::FailedAtStorage
    } else if log.contains("exceeds the") && log.contains("limit for backups") {
        Answer::FailedTooLarge
    } else {
        Answer::Failed
    }
}

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
pub enum CauseKind {
    /// `retry.timed_out`.
    TimedOut,
    /// `retry.skipped`.
    Skipped,
    /// `retry.partial`.
    Partial,
    /// `retry.failed`.
    Failed,
    /// `retry.lost`.
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
    pub fn kind(self) -> CauseKind {
        match self {
            Self::TimedOut => CauseKind::TimedOut,
            Self::Skipped => CauseKind::Skipped,
            Self::PartiallySucceeded => CauseKind::Partial,
            Self::AnswerLost => CauseKind::Lost,
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
            | Self::DatabaseSecret => CauseKind::Failed,
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
            | Self::Kept => CauseKind::Permanent,
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
    fn every_status_has_its_row_in_the_table_and_unknown_words_are_never_a_success() {
        for status in BackupStatus::DOCUMENTED {
            let answer = Answer::of(&status, None);
            assert!(BACKUP_ANSWERS.iter().any(|(row, _)| *row == answer), "{status}");
            assert_eq!(answer.then() == Then::CheckBlob, status == BackupStatus::Succeeded, "{status}");
        }
        assert_eq!(answer_to(&BackupStatus::from_word("Perfect"), None), Then::AskAgainAndWarn);
    }

    #[test]
    fn a_failed_backups_log_tells_storage_and_size_from_the_rest() {
        let cases = [
            (
                "Storage access failed. The remote server returned an error: (403) Forbidden.. Please delete and \
                 recreate backup schedule to mitigate.",
                Answer::FailedAtStorage,
            ),
            (
                "Storage access failed. The remote server returned an error: (404) Not Found..",
                Answer::FailedAtStorage,
            ),
            (
                "The website + database size exceeds the 10 GB limit for backups. Your content size is 12 GB.",
                Answer::FailedTooLarge,
            ),
            ("Storage access failed. The remote server returned an error: (500) Internal.", Answer::Failed),
            ("", Answer::Failed),
        ];
        for (log, answer) in cases {
            assert_eq!(classify_log(log), answer, "{log}");
        }
    }

    #[test]
    fn a_causes_word_is_the_one_it_is_written_with() {
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }

    #[test]
    fn the_table_in_the_docs_is_this_table() {
        let docs = include_str!("../../../docs/answers.md");
        for (answer, then) in BACKUP_ANSWERS {
            let row = format!("| `{answer:?}` | {} |", in_words(then));
            assert!(docs.contains(&row), "docs/answers.md lacks this row:\n{row}");
        }
        for cause in Cause::ALL {
            let row = format!("| `{cause}` | {:?} |", cause.kind());
            assert!(docs.contains(&row), "docs/answers.md lacks this row:\n{row}");
        }
    }

    fn in_words(then: Then) -> String {
        match then {
            Then::AskAgain => "ask again, until the deadline".to_owned(),
            Then::AskAgainAndWarn => "ask again, until the deadline, and warn".to_owned(),
            Then::CheckBlob => "check the blob, then `succeeded`".to_owned(),
            Then::Fail(cause) => format!("the attempt failed: `{cause}`"),
        }
    }
}
