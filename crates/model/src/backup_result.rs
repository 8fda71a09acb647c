//! What Azure's answers mean for a backup run: the same table as in `docs/answers.md`.

use crate::backup_log::{LogReason, classify_log};
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
    /// `Failed`; the log says that storage refused the SAS, the container or the account.
    FailedAtStorage,
    /// `Failed`; the log says that a database of the backup refused.
    FailedAtDatabase,
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
pub const BACKUP_RESULTS: [(BackupResult, PollDecision); 12] = [
    (BackupResult::Created, PollDecision::PollAgain),
    (BackupResult::InProgress, PollDecision::PollAgain),
    (BackupResult::Succeeded, PollDecision::CheckBlob),
    (BackupResult::PartiallySucceeded, PollDecision::Fail(Cause::PartiallySucceeded)),
    (BackupResult::TimedOut, PollDecision::Fail(Cause::TimedOut)),
    (BackupResult::Skipped, PollDecision::Fail(Cause::Skipped)),
    (BackupResult::FailedAtStorage, PollDecision::Fail(Cause::StorageRefused)),
    (BackupResult::FailedAtDatabase, PollDecision::Fail(Cause::DatabaseRefused)),
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
            BackupStatus::Failed => match classify_log(log.unwrap_or_default()) {
                LogReason::Storage => Self::FailedAtStorage,
                LogReason::Database => Self::FailedAtDatabase,
                LogReason::Size => Self::FailedTooLarge,
                LogReason::Unknown => Self::Failed,
            },
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
