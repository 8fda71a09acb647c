//! Looking for what a request did whose answer was lost. Pure.

use holdfast_model::{Absences, Attempt, Cause, RunEvent, Timestamp};

use crate::ending::{Failure, failed};
use crate::environment::Settings;
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::polling::{poll_after_error, unfinished_backup};
use crate::step_input::StepInput;

/// Handles a failed lookup of an attempt.
///
/// Ends the attempt if the app stays absent by two kinds of look over the settle time. Otherwise repeats the lookup, with
/// growing pauses, until the deadline after `since`: Azure answers 403 and 404 for a while after roles were changed, and
/// what it is doing goes on.
pub(crate) fn look_failed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    since: Timestamp,
    failure: &CallFailure,
    rng: &mut fastrand::Rng,
) -> Next {
    match failure.absent {
        Some(AbsentByTwoLooks::App) => absent(input, |looks| {
            let detail = format!("the app was absent in {looks} looks: {}", failure.error);
            let backup = unfinished_backup(input.run, attempt);
            failed(input, attempt, Failure { backup, ..Failure::new(Cause::AppNotFound, detail) }, rng)
        }),
        _ => poll_after_error(input, attempt, since, &failure.error, rng),
    }
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
    let Absences { looks, first_at } = input.run.state.absences().with(input.now);
    let event = RunEvent::Absent { looked_at: input.now };
    let span = (input.now - first_at.unwrap_or(input.now)).to_std().unwrap_or_default();
    if looks < Settings::LOOKS || span < input.settings.settle {
        let pause = input.settings.settle / (Settings::LOOKS - 1);
        return Next::new(vec![event], input.now + pause);
    }
    let mut next = settled(looks);
    next.events.insert(0, event);
    next
}
