//! Looking for what a request did whose answer was lost. Pure.

use holdfast_arm::{Error, ErrorKind};
use holdfast_model::{Attempt, Cause, RunEvent, RunState, Timestamp};

use crate::ending::{Failure, failed};
use crate::environment::Settings;
use crate::next::Next;
use crate::polling::poll_after_error;
use crate::step_input::StepInput;

/// Handles a failed lookup of an attempt.
///
/// Ends the attempt if the app was deleted. Otherwise repeats the lookup until the deadline after `since`: a missing right
/// says nothing about what the request did.
pub(crate) fn look_failed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    since: Timestamp,
    error: &Error,
    rng: &mut fastrand::Rng,
) -> Next {
    let cause = match error.kind() {
        ErrorKind::NotFound => Cause::AppNotFound,
        _ => return poll_after_error(input, attempt, since, error, rng),
    };
    failed(input, attempt, Failure::new(cause, error.to_string()), rng)
}

/// A look did not find the effect of the attempt: looks again, or ends the attempt as lost.
///
/// `detail` describes the absence, given the number of looks.
pub(crate) fn not_found(
    input: &StepInput<'_>,
    attempt: &Attempt,
    detail: impl FnOnce(u32) -> String,
    rng: &mut fastrand::Rng,
) -> Next {
    absent(input, |looks| failed(input, attempt, Failure::new(Cause::AnswerLost, detail(looks)), rng))
}

/// Records an absence and looks again. One absence proves nothing, because Azure lists late.
///
/// `settled` gives the transition once there were enough looks over the whole settle time. It gets their number.
pub(crate) fn absent(input: &StepInput<'_>, settled: impl FnOnce(u32) -> Next) -> Next {
    let (looks, first) = match input.run.state {
        RunState::Reconciling { absent, first_absent, .. } => (absent + 1, first_absent.unwrap_or(input.now)),
        _ => (1, input.now),
    };
    let event = RunEvent::Absent { looked_at: input.now };
    let is_settled = (input.now - first).to_std().unwrap_or_default() >= input.settings.settle;
    if looks < Settings::LOOKS || !is_settled {
        let pause = input.settings.settle / (Settings::LOOKS - 1);
        return Next::new(vec![event], input.now + pause);
    }
    let mut next = settled(looks);
    next.events.insert(0, event);
    next
}
