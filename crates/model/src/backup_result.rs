//! What Azure's answers mean for a backup run: the same table as in `docs/answers.md`.

use crate::{BackupStatus, Cause};

/// Azure's status of a backup, refined by its log.
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
    /// `Failed`; the log says that storage answered 403 or 404.
    FailedAtStorage,
    /// `Failed`; the log says that the app or its database exceeds Azure's size limit.
    FailedTooLarge,
    /// `Failed` for any other reason.
    Failed,
    /// `DeleteInProgress`, `Deleted` or `DeleteFailed`, before the backup was complete.
    Deleting,
    /// A status that is none of the ten documented ones.
    Unknown,
}

/// What a backup run does about a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollDecision {
    /// Poll again, until the deadline.
    PollAgain,
    /// Poll again, until the deadline, and log a warning.
    PollAgainAndWarn,
    /// Check the blob; if it is as expected, the run succeeds.
    CheckBlob,
    /// The attempt failed; the cause's retry rule decides whether another starts.
    Fail(Cause),
}

/// The decision for each result.
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
    /// The result for a status and a log.
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

    /// The decision for this result.
    pub fn then(self) -> PollDecision {
        let row = BACKUP_RESULTS.iter().find(|(result, _)| *result == self);
        // A test checks that the table has every result.
        row.map_or(PollDecision::PollAgainAndWarn, |(_, then)| *then)
    }
}

/// The decision for a status and a log.
pub fn poll_decision(status: &BackupStatus, log: Option<&str>) -> PollDecision {
    BackupResult::of(status, log).then()
}

/// Finds the reason in a failed backup's log.
///
/// Sources: storage's status in parentheses (hashicorp/terraform-provider-azurerm #16295, Azure/azure-cli #15240),
/// the size limit (MicrosoftDocs/azure-docs, `manage-backup.md`).
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
    fn a_failed_backups_log_distinguishes_storage_and_size_from_other_causes() {
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
            PollDecision::PollAgain => "poll again, until the deadline".to_owned(),
            PollDecision::PollAgainAndWarn => "poll again, until the deadline, and warn".to_owned(),
            PollDecision::CheckBlob => "check the blob, then `succeeded`".to_owned(),
            PollDecision::Fail(cause) => format!("the attempt failed: `{cause}`"),
        }
    }
}
