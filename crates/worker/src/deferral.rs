//! Deferring a run whose request Azure certainly did not execute. Pure.

use holdfast_model::Cause;

use crate::ending::deferred;
use crate::next::Next;
use crate::pauses::{budget_to_close, deferral_cause, pause, requested_wait};
use crate::step_input::StepInput;

/// Defers the run after an error that says that Azure did nothing. The attempt keeps its number.
pub(crate) fn defer(input: &StepInput<'_>, error: &holdfast_arm::Error, rng: &mut fastrand::Rng) -> Next {
    let cause = deferral_cause(error.kind()).unwrap_or(Cause::Unreachable);
    let wait = pause(cause, input.run.failure_counts.deferred, requested_wait(error), rng);
    let mut next = deferred(input, cause, error.to_string(), input.now + wait);
    next.close = budget_to_close(input, error, wait);
    next
}

/// Defers the run because something that it needs did not answer.
pub(crate) fn defer_unreachable(input: &StepInput<'_>, detail: String, rng: &mut fastrand::Rng) -> Next {
    let wait = pause(Cause::Unreachable, input.run.failure_counts.deferred, None, rng);
    deferred(input, Cause::Unreachable, detail, input.now + wait)
}
