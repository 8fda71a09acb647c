//! What follows when the request of an attempt fails. Pure.

use holdfast_arm::ErrorKind;
use holdfast_model::{Attempt, Cause, RunEvent};

use crate::deferral::{defer, defer_refusal};
use crate::ending::{Failure, failed};
use crate::environment::Settings;
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::step_input::StepInput;

/// Ends the attempt, defers it, or reconciles it, by what the error says about the request.
pub(crate) fn request_failed(
    input: &StepInput<'_>,
    attempt: &Attempt,
    failure: &CallFailure,
    rng: &mut fastrand::Rng,
) -> Next {
    let CallFailure { error, absent } = failure;
    let cause = match error.kind() {
        // Whether Azure accepted it is unknown. The first look waits, because Azure lists new backups late.
        ErrorKind::Ambiguous => {
            let first_look = input.now + input.settings.settle / Settings::LOOKS;
            return Next::new(vec![RunEvent::AnswerLost { detail: error.to_string() }], first_look);
        }
        ErrorKind::Forbidden => Cause::AppForbidden,
        ErrorKind::NotFound => Cause::AppNotFound,
        ErrorKind::Rejected => Cause::Rejected,
        ErrorKind::CredentialRefused => Cause::CredentialRefused,
        _ => return defer(input, error, rng),
    };
    let is_certain =
        matches!(cause, Cause::Rejected | Cause::CredentialRefused) || *absent == Some(AbsentByTwoLooks::App);
    let deferred = if is_certain { None } else { defer_refusal(input, cause, error.to_string(), rng) };
    deferred.unwrap_or_else(|| failed(input, attempt, Failure::new(cause, error.to_string()), rng))
}
