//! Deferring a run whose request Azure certainly did not execute. Pure.

use std::time::Duration;

use holdfast_model::{Cause, Trigger};

use crate::ending::deferred;
use crate::next::Next;
use crate::pauses::{budget_to_close, deferral_cause, pause, requested_wait};
use crate::step_input::StepInput;

/// Defers the run after an error that says that Azure did nothing. The attempt keeps its number.
pub(crate) fn defer(input: &StepInput<'_>, error: &holdfast_arm::Error, rng: &mut fastrand::Rng) -> Next {
    let cause = deferral_cause(error).unwrap_or(Cause::Unreachable);
    let wait = pause(cause, input.run.failure_counts.deferred, requested_wait(error), rng);
    let mut next = deferred(input, cause, error.to_string(), input.now + wait);
    next.close = budget_to_close(input, error, wait);
    next
}

/// Defers the run because something that it needs did not answer.
pub(crate) fn defer_unreachable(input: &StepInput<'_>, detail: String, rng: &mut fastrand::Rng) -> Next {
    defer_for(input, Cause::Unreachable, detail, rng)
}

/// Defers the run for a temporary cause.
pub(crate) fn defer_for(
    input: &StepInput<'_>,
    cause: Cause,
    detail: String,
    rng: &mut fastrand::Rng,
) -> Next {
    let wait = pause(cause, input.run.failure_counts.deferred, None, rng);
    deferred(input, cause, detail, input.now + wait)
}

/// How long a run that a person requested tries again after a refusal that may be temporary. The person waits.
const PATIENCE_FOR_PERSONS: Duration = Duration::from_mins(1);

/// Defers the run after a 403, or a 404 of an app that GET still shows; `None` when the run has tried for long enough.
///
/// Azure answers both for minutes after a role was granted or a site was restarted. A run that a tick or a policy caused
/// tries again within the policy's `catch_up`.
pub(crate) fn defer_refusal(
    input: &StepInput<'_>,
    cause: Cause,
    detail: String,
    rng: &mut fastrand::Rng,
) -> Option<Next> {
    let run = input.run;
    let patience = match run.trigger {
        Trigger::Manual => PATIENCE_FOR_PERSONS,
        _ => run.policy_snapshot.catch_up,
    };
    let wait = pause(cause, run.failure_counts.deferred, None, rng);
    let until = input.now + wait;
    (until <= run.tick.unwrap_or(run.created_at) + patience).then(|| deferred(input, cause, detail, until))
}
