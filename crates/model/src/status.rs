//! The status of a backup, as Azure names it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::IntoStaticStr;

/// A backup's status as Azure reports it.
///
/// Azure writes a name, in any case; responses of 2015 had the integers 0 to 9 in this order, which is that of
/// `BackupItemStatus` in PyPI azure-mgmt-web. An unknown name is kept for the audit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr)]
pub enum BackupStatus {
    /// 0: in progress.
    InProgress,
    /// 1: it failed; the log says why.
    Failed,
    /// 2: complete.
    Succeeded,
    /// 3: Azure gave up because the backup took too long.
    TimedOut,
    /// 4: accepted, not started.
    Created,
    /// 5: not created, because too many were requested.
    Skipped,
    /// 6: created, with files missing.
    PartiallySucceeded,
    /// 7: being deleted.
    DeleteInProgress,
    /// 8: the deletion failed, mostly because the SAS stored with the backup expired.
    DeleteFailed,
    /// 9: deleted.
    Deleted,
    /// None of the ten documented names, cut to 64 characters.
    Unknown(String),
}

impl BackupStatus {
    /// The ten documented statuses, each at the index of its integer.
    pub const DOCUMENTED: [Self; 10] = [
        Self::InProgress,
        Self::Failed,
        Self::Succeeded,
        Self::TimedOut,
        Self::Created,
        Self::Skipped,
        Self::PartiallySucceeded,
        Self::DeleteInProgress,
        Self::DeleteFailed,
        Self::Deleted,
    ];

    /// The status with a name, in any case, or with an integer in digits.
    pub fn from_word(word: &str) -> Self {
        let word = word.trim();
        if let Ok(code) = word.parse::<i64>() {
            return Self::from_code(code);
        }
        let known = Self::DOCUMENTED.iter().find(|s| s.as_str().eq_ignore_ascii_case(word));
        known.cloned().unwrap_or_else(|| Self::Unknown(word.chars().take(64).collect()))
    }

    /// The status of an integer.
    pub fn from_code(code: i64) -> Self {
        let known = usize::try_from(code).ok().and_then(|i| Self::DOCUMENTED.get(i));
        known.cloned().unwrap_or_else(|| Self::Unknown(code.to_string()))
    }

    /// Azure's name for the status.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown(word) => word,
            documented => documented.into(),
        }
    }
}

impl fmt::Display for BackupStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for BackupStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for BackupStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            Code(i64),
            Word(String),
        }
        Ok(match Wire::deserialize(deserializer)? {
            Wire::Code(code) => Self::from_code(code),
            Wire::Word(word) => Self::from_word(&word),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_status_is_read_from_its_word_in_any_case_and_from_its_integer() {
        for (code, status) in BackupStatus::DOCUMENTED.iter().enumerate() {
            let word = status.as_str();
            for text in [word.to_owned(), word.to_uppercase(), word.to_lowercase(), code.to_string()] {
                assert_eq!(&BackupStatus::from_word(&text), status, "{text}");
            }
            let from_json: BackupStatus = serde_json::from_str(&code.to_string()).unwrap();
            assert_eq!(&from_json, status);
        }
    }

    #[test]
    fn an_unknown_status_or_integer_is_kept_as_unknown() {
        for json in ["\"Pondering\"", "10", "-1", "\"\""] {
            let status: BackupStatus = serde_json::from_str(json).unwrap();
            assert!(matches!(status, BackupStatus::Unknown(_)), "{json}");
        }
        assert_eq!(BackupStatus::from_word("Pondering").as_str(), "Pondering");
    }

    #[test]
    fn a_status_that_is_neither_text_nor_integer_is_an_error() {
        assert!(serde_json::from_str::<BackupStatus>("{}").is_err());
        assert!(serde_json::from_str::<BackupStatus>("null").is_err());
    }
}
