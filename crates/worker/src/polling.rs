//! The next poll of an operation, until the deadline. Pure.

use std::time::Duration;

use holdfast_arm::Error;
use holdfast_model::{
    Attempt, BackupFacts, Cause, DurationForecast, PolicySnapshot, Run, RunKind, RunState, Timestamp,
    poll_delay, poll_time,
};

use crate::ending::{Failure, failed};
use crate::next::Next;
use crate::pauses::{budget_to_close, deferral_cause, pause, requested_wait};
use crate::step_input::StepInput;

/// Azure is still working: polls again, until the deadline after `since`.
pub(crate) fn poll_again(
    input: &StepInput<'_>,
    attempt: &Attempt,
    since: Timestamp,
    retry_after: Option<Duration>,
    rng: &mut fastrand::Rng,
) -> Next {
    if let Some(over) = deadline_passed(input, attempt, since, "azure had no final answer", rng) {
        return over;
    }
    let PolicySnapshot { poll, deadline, .. } = &input.run.policy_snapshot;
    let waited = (input.now - since).to_std().unwrap_or_default();
    let pause = poll_delay(poll, waited, DurationForecast::of(input.durations), rng);
    // Never before Azure asks for it.
    let time = poll_time(input.now, pause).max(input.now + retry_after.unwrap_or_default());
    // The deadline itself is a time to poll: the answer may be final by then.
    let last = (since + *deadline).max(input.now + poll.first);
    Next::new(Vec::new(), time.min(last))
}

/// A read failed: polls again, until the deadline after `since`.
pub(crate) fn poll_after_error(
    input: &StepInput<'_>,
    attempt: &Attempt,
    since: Timestamp,
    error: &Error,
    rng: &mut fastrand::Rng,
) -> Next {
    tracing::info!(app = input.run.app.short_name(), %error, "a poll failed; polling again later");
    if let Some(over) = deadline_passed(input, attempt, since, &error.to_string(), rng) {
        return over;
    }
    let cause = deferral_cause(error).unwrap_or(Cause::Unreachable);
    let waited = (input.now - since).to_std().unwrap_or_default();
    // Errors do not make polls more frequent than answers would.
    let pace = poll_delay(&input.run.policy_snapshot.poll, waited, None, rng);
    let wait = pause(cause, 0, requested_wait(error), rng).max(pace);
    let mut next = Next::new(Vec::new(), input.now + wait);
    next.close = budget_to_close(input, error, wait);
    next
}

/// Past the deadline the attempt and the run end. No other attempt begins, because Azure may still be working.
pub(crate) fn deadline_passed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    since: Timestamp,
    why: &str,
    rng: &mut fastrand::Rng,
) -> Option<Next> {
    let deadline = input.run.policy_snapshot.deadline;
    (input.now >= since + deadline).then(|| {
        let is_unsettled = matches!(
            (input.run.task.kind(), &input.run.state),
            (RunKind::Backup, RunState::Reconciling { .. })
        );
        let kept = if is_unsettled {
            format!("; the app's next backup looks for {}", attempt.name)
        } else {
            String::new()
        };
        let detail = format!("{} s after the start: {why}{kept}", deadline.as_secs());
        let backup = unfinished_backup(input.run, attempt);
        failed(input, attempt, Failure { backup, ..Failure::new(Cause::DeadlinePassed, detail) }, rng)
    })
}

/// The backup that Azure may finish after the run has ended. The catalog records it.
pub(crate) fn unfinished_backup(run: &Run, attempt: &Attempt) -> Option<BackupFacts> {
    let (RunKind::Backup, RunState::Polling { backup, accepted_at, .. }) = (run.task.kind(), &run.state)
    else {
        return None;
    };
    Some(BackupFacts {
        id: *backup,
        blob: format!("{}.zip", attempt.name),
        size_bytes: 0,
        accepted_at: *accepted_at,
        finished_at: None,
        databases: Vec::new(),
    })
}
