//! What an answer of Azure's means for a backup run: one table, the same as in `docs/answers.md`.

use crate::{BackupStatus, Cause};

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

/// Reads the reason out of a failed backup's log: storage's own answer in parentheses (hashicorp/terraform-provider-azurerm
/// #16295, Azure/azure-cli #15240), and the limit of size (MicrosoftDocs/azure-docs, `manage-backup.md`).
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
    fn the_table_in_the_docs_is_this_table() {
        let docs = include_str!("../../../docs/answers.md");
        for (answer, then) in BACKUP_ANSWERS {
            let row = format!("| `{answer:?}` | {} |", in_words(then));
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
