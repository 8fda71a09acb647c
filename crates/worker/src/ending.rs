//! The end of attempts and runs: another attempt, or the outcome. Pure.

use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, Outcome, RetryClass, RunEvent, Timestamp, retry_delay,
};

use crate::next::Next;
use crate::step_input::StepInput;

/// Deferrals in a row, without an accepted POST, before a run gives up.
const DEFERRALS_MAX: u32 = 100;

/// Why an attempt failed.
pub(crate) struct Failure {
    /// Azure's final status, where there was one.
    pub status: Option<BackupStatus>,
    /// The cause, which decides about another attempt.
    pub cause: Cause,
    /// The cause as text.
    pub detail: String,
    /// A backup that exists or may exist nevertheless. The catalog records it.
    pub backup: Option<BackupFacts>,
}

impl Failure {
    /// A failure without a status of Azure's.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { status: None, cause, detail: detail.into(), backup: None }
    }
}

/// The attempt failed: another attempt after a pause while the retry rule of the cause allows it, else the end.
pub(crate) fn failed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    failure: Failure,
    rng: &mut fastrand::Rng,
) -> Next {
    let Failure { status, cause, detail, backup } = failure;
    let retry_at = retry_at(input, cause, rng);
    let partial = backup.clone().filter(|_| cause.leaves_partial());
    let best = partial.or_else(|| input.run.failure_counts.partial_backup.clone());
    let ended = RunEvent::AttemptEnded { number: attempt.number, status, cause, detail, backup, retry_at };
    wait_or_end(input, ended, cause, best, retry_at)
}

/// No attempt could begin: another try after a pause while the retry rule of the cause allows it, else the end.
pub(crate) fn refused(input: &StepInput<'_>, cause: Cause, detail: String, rng: &mut fastrand::Rng) -> Next {
    let retry_at = retry_at(input, cause, rng);
    let refused = RunEvent::StartRefused { cause, detail, retry_at };
    wait_or_end(input, refused, cause, input.run.failure_counts.partial_backup.clone(), retry_at)
}

/// Defers the run until `until`, or ends it after too many deferrals.
pub(crate) fn deferred(input: &StepInput<'_>, cause: Cause, detail: String, until: Timestamp) -> Next {
    let again = input.run.failure_counts.deferred + 1 < DEFERRALS_MAX;
    let deferred = RunEvent::Deferred { cause, detail, until };
    let best = input.run.failure_counts.partial_backup.clone();
    wait_or_end(input, deferred, cause, best, again.then_some(until))
}

/// The run has succeeded after `events`.
pub(crate) fn succeeded(input: &StepInput<'_>, mut events: Vec<RunEvent>) -> Next {
    let outcome = Outcome::Succeeded;
    events.push(RunEvent::Ended { outcome, cause: None, backup: None, verification: None });
    Next::new(events, input.now)
}

/// Azure has executed the attempt, and nothing remains to be verified.
pub(crate) fn completed(input: &StepInput<'_>) -> Next {
    succeeded(input, vec![RunEvent::Completed { backup: None, detail: None }])
}

/// The attempt failed and its effect is unknown. No other attempt begins.
pub(crate) fn given_up(input: &StepInput<'_>, attempt: &Attempt, cause: Cause, detail: String) -> Next {
    let number = attempt.number;
    let ended = RunEvent::AttemptEnded { number, status: None, cause, detail, backup: None, retry_at: None };
    wait_or_end(input, ended, cause, None, None)
}

fn retry_at(input: &StepInput<'_>, cause: Cause, rng: &mut fastrand::Rng) -> Option<Timestamp> {
    let rule = input.run.policy_snapshot.retries.rule(cause.retry_class())?;
    let failures = input.run.failures(cause) + 1;
    (failures < rule.attempts).then(|| input.now + retry_delay(&rule, failures, rng))
}

/// Waits until `retry_at`; without one the run ends, with `best` as its partial backup.
fn wait_or_end(
    input: &StepInput<'_>,
    event: RunEvent,
    cause: Cause,
    best: Option<BackupFacts>,
    retry_at: Option<Timestamp>,
) -> Next {
    let Some(retry_at) = retry_at else {
        let outcome = match (&best, cause.retry_class()) {
            (Some(_), _) => Outcome::Partial,
            (None, RetryClass::Permanent) => Outcome::Failed,
            (None, _) => Outcome::Exhausted,
        };
        let end = RunEvent::Ended { outcome, cause: Some(cause), backup: best, verification: None };
        return Next::new(vec![event, end], input.now);
    };
    Next::new(vec![event], retry_at)
}
