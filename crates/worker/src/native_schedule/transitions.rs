//! What follows from the answers to a schedule run. Pure.

use holdfast_arm::Error;
use holdfast_model::{Attempt, RunEvent, SasRefresh};

use crate::ending::completed;
use crate::next::Next;
use crate::reconcile::{look_failed, not_found};
use crate::request_failed::request_failed;
use crate::step_input::StepInput;

/// The request was answered, or failed. `refresh` is the SAS replacement to record on success.
pub(super) fn answered(
    input: &StepInput<'_>,
    attempt: &Attempt,
    answer: Result<(), Error>,
    refresh: Option<SasRefresh>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(()) => set(input, refresh),
        Err(error) => request_failed(input, attempt, &error, rng),
    }
}

/// After a lost answer the schedule was read, or the read failed. `is_met` says whether it is as requested.
pub(super) fn reconciled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    is_met: Result<bool, Error>,
    refresh: Option<SasRefresh>,
    rng: &mut fastrand::Rng,
) -> Next {
    match is_met {
        Ok(true) => set(input, refresh),
        Ok(false) => {
            not_found(input, attempt, |looks| format!("the schedule was not set in {looks} looks"), rng)
        }
        Err(error) => look_failed(input, attempt, attempt.begun_at, &error, rng),
    }
}

fn set(input: &StepInput<'_>, refresh: Option<SasRefresh>) -> Next {
    let mut next = completed(input);
    next.events.splice(0..0, refresh.map(|refresh| RunEvent::SasRefreshed { refresh }));
    next
}
