//! What a row holds in plain columns, derived from the run so that no two stores derive it apart.

use std::time::Duration;

use chrono::SubsecRound;
use holdfast_model::{BackupFacts, Cause, Outcome, Run, RunState, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// An instant as a row can hold it: to the millisecond, in a year of four digits, because only then is the order of
/// texts the order of times.
pub(crate) fn stamp(at: Timestamp) -> Timestamp {
    const FIRST: i64 = 0;
    const LAST: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z
    let seconds = at.timestamp();
    if (FIRST..=LAST).contains(&seconds) {
        return at.trunc_subsecs(3);
    }
    Timestamp::from_timestamp(seconds.clamp(FIRST, LAST), 0).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `at` and `span` later; the end of time where that is too far.
pub(crate) fn later(at: Timestamp, span: Duration) -> Timestamp {
    let span = chrono::TimeDelta::from_std(span).unwrap_or(chrono::TimeDelta::MAX);
    stamp(at.checked_add_signed(span).unwrap_or(Timestamp::MAX_UTC))
}

/// A value of the model as JSON text. The model's types have string keys and finite numbers, so this cannot fail.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A plain enum's word in rows.
pub(crate) fn word(value: &impl Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}

/// The plain enum that a word stands for.
pub(crate) fn from_word<T: DeserializeOwned>(word: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(serde_json::Value::from(word))
}

/// The run as it will be stored when `new` is written over `old`: what it was made with stays.
pub(crate) fn changed(old: &Run, new: &Run) -> Run {
    Run {
        version: old.version + 1,
        state: new.state.clone(),
        failure_counts: new.failure_counts.clone(),
        due_at: stamp(new.due_at),
        ended_at: new.ended_at.map(stamp),
        ..old.clone()
    }
}

/// A new run as it will be stored.
pub(crate) fn stored(new: &Run) -> Run {
    Run {
        version: 1,
        tick: new.tick.map(stamp),
        created_at: stamp(new.created_at),
        due_at: stamp(new.due_at),
        ended_at: new.ended_at.map(stamp),
        ..new.clone()
    }
}

/// Why a run was not added.
pub(crate) fn not_added(operation: &'static str, run: &Run) -> Error {
    let what = match run.task.subject() {
        Some(subject) => format!("run {}: another run for it is unfinished ({subject})", run.id),
        None => format!("the tick of run {} has a run", run.id),
    };
    Error::Inconsistent { operation, what }
}

/// How a run ended, and the backup it made.
#[derive(Debug, Default)]
pub(crate) struct Ending<'a> {
    pub outcome: Option<Outcome>,
    pub cause: Option<Cause>,
    pub backup: Option<&'a BackupFacts>,
    pub verification: Option<holdfast_model::Verification>,
}

impl<'a> Ending<'a> {
    /// What the state tells; all empty for a run that has not ended, but for what it waits because of.
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

/// When Azure accepted the attempt under way, or the backup that came of the run.
pub(crate) fn accepted_at(state: &RunState) -> Option<Timestamp> {
    match state {
        RunState::Polling { accepted_at, .. } => Some(*accepted_at),
        other => Ending::of(other).backup.map(|backup| backup.accepted_at),
    }
}

/// The attempt under way, or the last one begun; `None` where the state does not tell.
pub(crate) fn attempt(state: &RunState) -> Option<u32> {
    match state {
        RunState::Waiting { next_attempt, .. } => Some(next_attempt.saturating_sub(1)),
        RunState::Planned => Some(0),
        other => other.attempt().map(|attempt| attempt.number),
    }
}

/// How long a finished backup took: to the end that Azure told, or else to the end of its run.
pub(crate) fn took(backup: &BackupFacts, ended_at: Option<Timestamp>) -> Option<Duration> {
    let end = backup.finished_at.or(ended_at)?;
    stamp(end).signed_duration_since(stamp(backup.accepted_at)).to_std().ok()
}

/// Is an app past its objective at `now`? One that has no good backup yet is given its first span from its enrolment.
pub(crate) fn past_objective(
    now: Timestamp,
    objective: Option<Duration>,
    last_good_at: Option<Timestamp>,
    enrolled_at: Timestamp,
) -> bool {
    objective.is_some_and(|objective| later(last_good_at.unwrap_or(enrolled_at), objective) < now)
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
    fn an_app_without_a_good_backup_is_past_its_objective_one_span_after_its_enrolment() {
        let at = |s| Timestamp::from_timestamp(s, 0).unwrap();
        let objective = Some(Duration::from_secs(10));
        assert!(!past_objective(at(110), objective, None, at(100)));
        assert!(past_objective(at(111), objective, None, at(100)));
        assert!(!past_objective(at(111), objective, Some(at(101)), at(0)));
        assert!(!past_objective(at(111), None, None, at(0)));
    }

    #[test]
    fn words_come_back() {
        assert_eq!(word(&Outcome::Succeeded), "succeeded");
        assert_eq!(from_word::<Outcome>("partial").unwrap(), Outcome::Partial);
        assert!(from_word::<Outcome>("splendid").is_err());
    }
}
