//! What follows from the answers to a schedule run. Pure.

use holdfast_arm::Error;
use holdfast_model::{Attempt, Cause, Retry, RunEvent, SasRefresh, retry_delay};

use crate::ending::{Failure, completed, failed, given_up, succeeded};
use crate::look::CallFailure;
use crate::next::Next;
use crate::reconcile::{look_failed, not_found};
use crate::request_failed::request_failed;
use crate::step_input::StepInput;

/// Reads of a schedule that differ from what was sent before they are believed.
const DIFFERING_READS: u32 = 5;

/// Reads of a schedule that may fail before the run ends without one.
const READS: Retry = Retry::seconds(12, 5, 600);

/// The request was answered, or failed. Azure's answer is not believed: the next step reads the schedule back.
pub(super) fn answered(
    input: &StepInput<'_>,
    attempt: &Attempt,
    answer: Result<(), CallFailure>,
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(()) => Next::new(vec![RunEvent::Completed { backup: None, detail: None }], input.now),
        Err(failure) => request_failed(input, attempt, &failure, rng),
    }
}

/// A read of the schedule after Azure accepted a change.
pub(super) struct ReadBack {
    /// How it differs from what was sent.
    pub differences: Result<Vec<String>, Error>,
    /// Reads before this one that differed or failed.
    pub checks: u32,
    /// The SAS replacement to record on success.
    pub refresh: Option<SasRefresh>,
}

/// The schedule was read back, or the read failed.
///
/// No other attempt follows: enabling a schedule starts a backup, so each repetition makes one more.
pub(super) fn read_back(
    input: &StepInput<'_>,
    attempt: &Attempt,
    read: ReadBack,
    rng: &mut fastrand::Rng,
) -> Next {
    let ReadBack { differences, checks, refresh } = read;
    let (detail, most) = match &differences {
        Ok(differences) if differences.is_empty() => {
            let refreshed = refresh.map(|refresh| RunEvent::SasRefreshed { refresh });
            return succeeded(input, refreshed.into_iter().collect());
        }
        Ok(differences) => (format!("read back, {}", differences.join(", and ")), DIFFERING_READS),
        Err(error) => (error.to_string(), READS.attempts),
    };
    let check_failed = RunEvent::CheckFailed { detail: detail.clone() };
    if checks + 1 < most {
        return Next::new(vec![check_failed], input.now + retry_delay(&READS, checks + 1, rng));
    }
    let mut next = match differences {
        Ok(_) => failed(input, attempt, Failure::new(Cause::ScheduleNotTaken, detail), rng),
        Err(_) => given_up(input, attempt, Cause::Unreachable, detail),
    };
    next.events.insert(0, check_failed);
    next
}

/// After a lost answer the schedule was read, or the read failed. `is_met` says whether it is as requested.
pub(super) fn reconciled(
    input: &StepInput<'_>,
    attempt: &Attempt,
    is_met: Result<bool, CallFailure>,
    refresh: Option<SasRefresh>,
    rng: &mut fastrand::Rng,
) -> Next {
    match is_met {
        Ok(true) => {
            let mut next = completed(input);
            next.events.splice(0..0, refresh.map(|refresh| RunEvent::SasRefreshed { refresh }));
            next
        }
        Ok(false) => {
            not_found(input, attempt, |looks| format!("the schedule was not set in {looks} looks"), rng)
        }
        Err(failure) => look_failed(input, attempt, attempt.begun_at, &failure, rng),
    }
}
