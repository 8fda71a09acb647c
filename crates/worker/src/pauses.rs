//! How long to wait when Azure or the network refuses a call. Pure.

use std::time::Duration;

use holdfast_arm::{Error, ErrorKind, ThrottleScope};
use holdfast_model::{Call, Cause, Retry, Timestamp, is_out_of_files, retry_delay};

use crate::step_input::StepInput;

/// The shortest pause after a 429. `Retry-After` may be missing and has been seen as zero; a request every second
/// prolongs the throttling (hashicorp/terraform issue 7694).
const THROTTLE_FLOOR: Retry = Retry::seconds(0, 5, 300);
/// Another operation is in progress at the app, which usually takes minutes.
const BUSY: Retry = Retry::seconds(0, 30, 600);
/// The network or a server is down.
const UNREACHABLE: Retry = Retry::seconds(0, 10, 300);
/// An operator must repair the credential.
const CREDENTIAL: Retry = Retry::seconds(0, 60, 600);

/// The longest wait that is believed: ARM's limits are of seconds, older ones of an hour.
const REQUESTED_MAX: Duration = Duration::from_hours(1);

/// The cause of a deferral for an error that says that Azure did nothing; `None` for all other kinds.
pub(crate) fn deferral_cause(error: &Error) -> Option<Cause> {
    match error.kind() {
        ErrorKind::NotSent if is_out_of_files(error) => Some(Cause::TooManyOpenFiles),
        ErrorKind::Throttled { .. } => Some(Cause::Throttled),
        ErrorKind::Conflict { .. } => Some(Cause::Busy),
        ErrorKind::NotSent => Some(Cause::Unreachable),
        ErrorKind::Unauthorized | ErrorKind::CredentialRefused => Some(Cause::CredentialRefused),
        ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::Ambiguous => None,
    }
}

/// The pause for `cause` after `deferrals` earlier deferrals, at least `requested`.
pub(crate) fn pause(
    cause: Cause,
    deferrals: u32,
    requested: Option<Duration>,
    rng: &mut fastrand::Rng,
) -> Duration {
    let rule = match cause {
        Cause::Throttled => THROTTLE_FLOOR,
        Cause::Busy => BUSY,
        Cause::CredentialRefused => CREDENTIAL,
        _ => UNREACHABLE,
    };
    // Azure does not process a request before the time that it asked for. A longer time than any of its limits has is not
    // believed.
    retry_delay(&rule, deferrals + 1, rng).max(requested.unwrap_or_default().min(REQUESTED_MAX))
}

/// The wait that Azure asked for in its answer.
pub(crate) fn requested_wait(error: &Error) -> Option<Duration> {
    match error.kind() {
        ErrorKind::Throttled { retry_after, .. } | ErrorKind::Conflict { retry_after } => *retry_after,
        _ => error.retry_after(),
    }
}

/// The request budget to close for `pause`. ARM throttles the whole subscription; App Service throttles only the call.
pub(crate) fn budget_to_close(
    input: &StepInput<'_>,
    error: &Error,
    pause: Duration,
) -> Option<(Call, Timestamp)> {
    let is_arm = matches!(error.kind(), ErrorKind::Throttled { scope: ThrottleScope::Arm, .. });
    is_arm.then(|| (error.operation().call(), input.now + pause))
}
