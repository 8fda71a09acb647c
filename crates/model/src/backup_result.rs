//! What an answer of Azure's means for a backup run: one table, the same as in `docs/answers.md`.

use crate::{BackupStatus, Cause};

/// An answer, as far as it decides what a backup run does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackupResult {
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
pub enum PollDecision {
    /// Ask again, until the deadline.
    PollAgain,
    /// Ask again, until the deadline, and warn: the word is new.
    PollAgainAndWarn,
    /// Check the blob; then the run has succeeded.
    CheckBlob,
    /// The attempt has failed; the cause's retry rule decides whether another begins.
    Fail(Cause),
}

/// The table.
pub const BACKUP_RESULTS: [(BackupResult, PollDecision); 11] = [
    (BackupResult::Created, PollDecision::PollAgain),
    (BackupResult::InProgress, PollDecision::PollAgain),
    (BackupResult::Succeeded, PollDecision::CheckBlob),
    (BackupResult::PartiallySucceeded, PollDecision::Fail(Cause::PartiallySucceeded)),
    (BackupResult::TimedOut, PollDecision::Fail(Cause::TimedOut)),
    (BackupResult::Skipped, PollDecision::Fail(Cause::Skipped)),
    (BackupResult::FailedAtStorage, PollDecision::Fail(Cause::StorageRefused)),
    (BackupResult::FailedTooLarge, PollDecision::Fail(Cause::TooLarge)),
    (BackupResult::Failed, PollDecision::Fail(Cause::AzureFailed)),
    (BackupResult::Deleting, PollDecision::Fail(Cause::DeletedOutside)),
    (BackupResult::Unknown, PollDecision::PollAgainAndWarn),
];

impl BackupResult {
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
    pub fn then(self) -> PollDecision {
        let row = BACKUP_RESULTS.iter().find(|(answer, _)| *answer == self);
        // A test holds every answer against the table; one that is missing is asked about again.
        row.map_or(PollDecision::PollAgainAndWarn, |(_, then)| *then)
    }
}

/// What to do about a status and a log.
pub fn poll_decision(status: &BackupStatus, log: Option<&str>) -> PollDecision {
    BackupResult::of(status, log).then()
}

/// Reads the reason out of a failed backup's log: storage's own answer in parentheses (hashicorp/terraform-provider-azurerm
/// #16295, Azure/azure-cli #15240), and the limit of size (MicrosoftDocs/azure-docs, `manage-backup.md`).
pub fn classify_log(log: &str) -> BackupResult {
    let log = log.to_lowercase();
    let storage = log.contains("storage access failed") || log.contains("remote server returned an error");
    if storage && (log.contains("(403)") || log.contains("(404)")) {
        BackupResult::FailedAtStorage
    } else if log.contains("exceeds the") && log.contains("limit for backups") {
        BackupResult::FailedTooLarge
    } else {
        BackupResult::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_row_in_the_table_and_unknown_words_are_never_a_success() {
        for status in BackupStatus::DOCUMENTED {
            let answer = BackupResult::of(&status, None);
            assert!(BACKUP_RESULTS.iter().any(|(row, _)| *row == answer), "{status}");
            assert_eq!(
                answer.then() == PollDecision::CheckBlob,
                status == BackupStatus::Succeeded,
                "{status}"
            );
        }
        assert_eq!(poll_decision(&BackupStatus::from_word("Perfect"), None), PollDecision::PollAgainAndWarn);
    }

    #[test]
    fn a_failed_backups_log_tells_storage_and_size_from_the_rest() {
        let cases = [
            (
                "Storage access failed. The remote server returned an error: (403) Forbidden.. Please delete and \
                 recreate backup schedule to mitigate.",
                BackupResult::FailedAtStorage,
            ),
            (
                "Storage access failed. The remote server returned an error: (404) Not Found..",
                BackupResult::FailedAtStorage,
            ),
            (
                "The website + database size exceeds the 10 GB limit for backups. Your content size is 12 GB.",
                BackupResult::FailedTooLarge,
            ),
            (
                "Storage access failed. The remote server returned an error: (500) Internal.",
                BackupResult::Failed,
            ),
            ("", BackupResult::Failed),
        ];
        for (log, answer) in cases {
            assert_eq!(classify_log(log), answer, "{log}");
        }
    }

    #[test]
    fn the_table_in_the_docs_is_this_table() {
        let docs = include_str!("../../../docs/answers.md");
        for (answer, then) in BACKUP_RESULTS {
            let row = format!("| `{answer:?}` | {} |", in_words(then));
            assert!(docs.contains(&row), "docs/answers.md lacks this row:\n{row}");
        }
    }

    fn in_words(then: PollDecision) -> String {
        match then {
            PollDecision::PollAgain => "ask again, until the deadline".to_owned(),
            PollDecision::PollAgainAndWarn => "ask again, until the deadline, and warn".to_owned(),
            PollDecision::CheckBlob => "check the blob, then `succeeded`".to_owned(),
            PollDecision::Fail(cause) => format!("the attempt failed: `{cause}`"),
        }
    }
}
