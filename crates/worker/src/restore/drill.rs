//! What follows from the probe of a drill. Pure.

use holdfast_arm::ProbeError;
use holdfast_model::{Attempt, Cause, Retry, RunEvent, retry_delay};

use crate::ending::{Failure, failed, succeeded};
use crate::next::Next;
use crate::step_input::StepInput;

/// Probes of a restored app, which takes minutes to warm up.
const PROBES: Retry = Retry::seconds(8, 5, 60);

/// The app was probed. `failures` is the number of failed probes before this one.
pub(super) fn probed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    failures: u32,
    answer: Result<(), ProbeError>,
    rng: &mut fastrand::Rng,
) -> Next {
    let Err(error) = answer else { return succeeded(input, Vec::new()) };
    let detail = error.to_string();
    let probe_failed = RunEvent::CheckFailed { detail: detail.clone() };
    if failures + 1 < PROBES.attempts {
        return Next::new(vec![probe_failed], input.now + retry_delay(&PROBES, failures + 1, rng));
    }
    let mut next = failed(input, attempt, Failure::new(Cause::ProbeFailed, detail), rng);
    next.events.insert(0, probe_failed);
    next
}
