//! How attempts and runs end: one place decides between another attempt and giving up.

use holdfast_model::{
    Attempt, BackupFacts, BackupStatus, Cause, Outcome, RetryClass, RunEvent, Timestamp, retry_delay,
};

use super::{Next, Sight};

/// Times a run may be put off without one accepted POST before it gives up.
const DEFERRALS_MAX: u32 = 100;

/// What is told of an attempt that failed.
pub(super) struct Failure {
    /// Azure's final status, where there was one.
    pub status: Option<BackupStatus>,
    /// Why.
    pub cause: Cause,
    /// In words.
    pub detail: String,
    /// What was made all the same, or may still be: the catalog must know of it.
    pub backup: Option<BackupFacts>,
}

impl Failure {
    /// A failure without a status of Azure's.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { status: None, cause, detail: detail.into(), backup: None }
    }
}

/// The attempt failed: another one after a pause, while the cause's rule allows, else the end.
pub(super) fn failed(
    sight: &Sight<'_>,
    attempt: &Attempt,
    failure: Failure,
    rng: &mut fastrand::Rng,
) -> Next {
    let Failure { status, cause, detail, backup } = failure;
    let retry_at = retry_at(sight, cause, rng);
    let partial = backup.clone().filter(|_| cause.leaves_partial());
    let best = partial.or_else(|| sight.run.failure_counts.partial_backup.clone());
    let ended = RunEvent::AttemptEnded { number: attempt.number, status, cause, detail, backup, retry_at };
    finish(sight, ended, cause, best, retry_at)
}

/// No attempt could be begun: another try after a pause, while the cause's rule allows, else the end.
pub(crate) fn refused(sight: &Sight<'_>, cause: Cause, detail: String, rng: &mut fastrand::Rng) -> Next {
    let retry_at = retry_at(sight, cause, rng);
    let refused = RunEvent::StartRefused { cause, detail, retry_at };
    finish(sight, refused, cause, sight.run.failure_counts.partial_backup.clone(), retry_at)
}

/// Put off until later, unless it has been put off for far too long.
pub(super) fn deferred(sight: &Sight<'_>, cause: Cause, detail: String, until: Timestamp) -> Next {
    let again = sight.run.failure_counts.deferred + 1 < DEFERRALS_MAX;
    let deferred = RunEvent::Deferred { cause, detail, until };
    finish(sight, deferred, cause, sight.run.failure_counts.partial_backup.clone(), again.then_some(until))
}

/// What was asked for is so: `events` tell how, and the run is over.
pub(super) fn done(sight: &Sight<'_>, mut events: Vec<RunEvent>) -> Next {
    let outcome = Outcome::Succeeded;
    events.push(RunEvent::Ended { outcome, cause: None, backup: None, verification: None });
    Next::new(events, sight.now)
}

/// Azure has done what an attempt asked for, and nothing is left to check.
pub(super) fn completed(sight: &Sight<'_>) -> Next {
    done(sight, vec![RunEvent::Completed { backup: None, detail: None }])
}

/// The attempt failed, and whether Azure did what it asked for cannot be told: no other is begun.
pub(super) fn given_up(sight: &Sight<'_>, attempt: &Attempt, cause: Cause, detail: String) -> Next {
    let number = attempt.number;
    let ended = RunEvent::AttemptEnded { number, status: None, cause, detail, backup: None, retry_at: None };
    finish(sight, ended, cause, None, None)
}

fn retry_at(sight: &Sight<'_>, cause: Cause, rng: &mut fastrand::Rng) -> Option<Timestamp> {
    let rule = sight.run.policy_snapshot.retries.rule(cause.retry_class())?;
    let failures = sight.run.failures(cause) + 1;
    (failures < rule.attempts).then(|| sight.now + retry_delay(&rule, failures, rng))
}

fn finish(
    sight: &Sight<'_>,
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
        return Next::new(vec![event, end], sight.now);
    };
    Next::new(vec![event], retry_at)
}
