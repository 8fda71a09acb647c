//! Azure's own schedules: a PUT that enables one fires a backup, so none is made that is not needed.

use holdfast_arm::Error;
use holdfast_model::{Attempt, Cause};

use super::begin::not_accepted;
use super::ending::{Failure, completed, done, failed};
use super::look::{Looked, absent, after_last_look, not_looked};
use super::{Next, Sight};

/// All is as wanted before anything was asked for.
pub(crate) fn schedule_in_place(sight: &Sight<'_>) -> Next {
    done(sight, Vec::new())
}

/// The request came back, or did not.
pub(crate) fn schedule_answered(
    sight: &Sight<'_>,
    attempt: &Attempt,
    answer: Result<(), Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(()) => completed(sight),
        Err(error) => not_accepted(sight, attempt, &error, rng),
    }
}

/// The schedule was looked at after an answer was lost, or could not be.
pub(crate) fn schedule_looked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    is_as_wanted: Result<bool, Error>,
    rng: &mut fastrand::Rng,
) -> Next {
    match is_as_wanted {
        Ok(true) => completed(sight),
        Ok(false) => match absent(sight) {
            Looked::Again(next) => next,
            Looked::Enough { looks } => {
                let detail = format!("the schedule was not set in {looks} looks");
                after_last_look(sight, failed(sight, attempt, Failure::new(Cause::AnswerLost, detail), rng))
            }
        },
        Err(error) => not_looked(sight, attempt, attempt.begun_at, &error, rng),
    }
}
