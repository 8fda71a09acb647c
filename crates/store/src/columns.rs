//! Values of plain columns, derived from the model in one place for every store.

use std::time::Duration;

use chrono::SubsecRound;
use holdfast_model::{BackupFacts, Cause, Outcome, RunState, Timestamp, Verification};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An instant as a row holds it: cut to the millisecond, and within the years 1970 to 9999, so that text order is time
/// order.
pub(crate) fn stamp(at: Timestamp) -> Timestamp {
    const FIRST: i64 = 0;
    const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
    let seconds = at.timestamp();
    if (FIRST..=LAST).contains(&seconds) {
        return at.trunc_subsecs(3);
    }
    Timestamp::from_timestamp(seconds.clamp(FIRST, LAST), 0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `at` plus `span`; the last instant that a row holds where that overflows.
pub(crate) fn later(at: Timestamp, span: Duration) -> Timestamp {
    let span = chrono::TimeDelta::from_std(span).unwrap_or(chrono::TimeDelta::MAX);
    stamp(at.checked_add_signed(span).unwrap_or(Timestamp::MAX_UTC))
}

/// A value as JSON text. The model's types have string keys and finite numbers, so this cannot fail.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The serialized name of a plain enum.
pub(crate) fn word(value: &impl Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}

/// The plain enum with a serialized name.
pub(crate) fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(serde_json::Value::from(word))
}

/// A run's outcome and the backup that it created.
#[derive(Debug, Default)]
pub(crate) struct Ending<'a> {
    pub outcome: Option<Outcome>,
    pub cause: Option<Cause>,
    pub backup: Option<&'a BackupFacts>,
    pub verification: Option<Verification>,
}

impl<'a> Ending<'a> {
    /// The ending in a state. Of an unfinished run there is at most the cause it waits for, or the backup it verifies.
    pub(crate) fn of(state: &'a RunState) -> Self {
        match state {
            RunState::Ended { outcome, cause, backup, verification } => Self {
                outcome: Some(*outcome),
                cause: *cause,
                backup: backup.as_ref(),
                verification: *verification,
            },
            RunState::Waiting { cause, .. } => Self { cause: Some(*cause), ..Self::default() },
            RunState::Verifying { backup, .. } => Self { backup: backup.as_ref(), ..Self::default() },
            _ => Self::default(),
        }
    }
}

/// When Azure accepted the current attempt, or the backup that the run created.
pub(crate) fn accepted_at(state: &RunState) -> Option<Timestamp> {
    match state {
        RunState::Polling { accepted_at, .. } => Some(*accepted_at),
        other => Ending::of(other).backup.map(|backup| backup.accepted_at),
    }
}

/// The number of the current or last attempt; `None` where the state does not hold it.
pub(crate) fn attempt(state: &RunState) -> Option<u32> {
    match state {
        RunState::Waiting { next_attempt, .. } => Some(next_attempt.saturating_sub(1)),
        RunState::Planned => Some(0),
        other => other.attempt().map(|attempt| attempt.number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_cut_to_what_a_row_can_hold() {
        let at = Timestamp::from_timestamp(5, 123_987_654).unwrap();
        assert_eq!(stamp(at), Timestamp::from_timestamp(5, 123_000_000).unwrap());
        for far in [Timestamp::MIN_UTC, Timestamp::MAX_UTC, later(at, Duration::MAX)] {
            assert_eq!(holdfast_model::format_timestamp(stamp(far)).len(), 24);
        }
    }

    #[test]
    fn words_come_back() {
        assert_eq!(word(&Outcome::Succeeded), "succeeded");
        assert_eq!(from_word::<Outcome>("partial").unwrap(), Outcome::Partial);
        assert!(from_word::<Outcome>("splendid").is_err());
    }
}
