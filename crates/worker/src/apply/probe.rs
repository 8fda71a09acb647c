//! A drill's last question: does the restored app answer?

use holdfast_arm::ProbeError;
use holdfast_model::{Attempt, Cause, Retry, RunEvent, retry_delay};

use super::ending::{Failure, done, failed};
use super::{Next, Sight};

/// An app takes minutes to warm up, so it is asked more than once.
const PROBES: Retry = Retry::seconds(8, 5, 60);

/// The app was asked. `before` are the times it did not answer as it should.
pub(crate) fn probed(
    sight: &Sight<'_>,
    attempt: &Attempt,
    before: u32,
    answer: Result<(), ProbeError>,
    rng: &mut fastrand::Rng,
) -> Next {
    let Err(error) = answer else { return done(sight, Vec::new()) };
    let detail = error.to_string();
    let not_yet = RunEvent::CheckFailed { detail: detail.clone() };
    if before + 1 < PROBES.attempts {
        return Next::new(vec![not_yet], sight.now + retry_delay(&PROBES, before + 1, rng));
    }
    let mut next = failed(sight, attempt, Failure::new(Cause::ProbeFailed, detail), rng);
    next.events.insert(0, not_yet);
    next
}
