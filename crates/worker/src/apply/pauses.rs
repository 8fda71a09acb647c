//! How long to wait when Azure or the network says no.

use std::time::Duration;

use holdfast_arm::{Error, ErrorKind, ThrottleScope};
use holdfast_model::{Call, Cause, Retry, Timestamp, retry_delay};

use super::Sight;

/// The shortest pause after a 429. `Retry-After` may be missing, and has been seen as zero; asking every second
/// prolongs the throttling (hashicorp/terraform issue 7694).
const THROTTLE_FLOOR: Retry = Retry::seconds(0, 5, 300);
/// Somebody else works on the app: minutes, as a rule.
const BUSY: Retry = Retry::seconds(0, 30, 600);
/// The network or a machine is down.
const UNREACHABLE: Retry = Retry::seconds(0, 10, 300);
/// A person must mend the credential.
const CREDENTIAL: Retry = Retry::seconds(0, 60, 600);

/// Why a call that was certainly not carried out has to wait; `None` for every other verdict.
pub(super) fn waits_because(kind: &ErrorKind) -> Option<Cause> {
    match kind {
        ErrorKind::Throttled { .. } => Some(Cause::Throttled),
        ErrorKind::Conflict { .. } => Some(Cause::Busy),
        ErrorKind::NotSent => Some(Cause::Unreachable),
        ErrorKind::Unauthorized => Some(Cause::CredentialRefused),
        ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::Ambiguous => None,
    }
}

/// The pause for a cause, after the run was put off `before` times already.
pub(super) fn pause(
    cause: Cause,
    before: u32,
    asked_for: Option<Duration>,
    rng: &mut fastrand::Rng,
) -> Duration {
    let rule = match cause {
        Cause::Throttled => THROTTLE_FLOOR,
        Cause::Busy => BUSY,
        Cause::CredentialRefused => CREDENTIAL,
        _ => UNREACHABLE,
    };
    // A request before Azure's own time is not looked at, so that one is never cut short.
    retry_delay(&rule, before + 1, rng).max(asked_for.unwrap_or_default())
}

/// The wait that Azure itself asked for, whatever it answered otherwise.
pub(super) fn asked_for(error: &Error) -> Option<Duration> {
    match error.kind() {
        ErrorKind::Throttled { retry_after, .. } | ErrorKind::Conflict { retry_after } => *retry_after,
        _ => error.retry_after(),
    }
}

/// The budget to close: ARM's own throttling holds for the whole subscription, the provider's for this call alone.
pub(super) fn budget_to_close(
    sight: &Sight<'_>,
    kind: &ErrorKind,
    call: Call,
    pause: Duration,
) -> Option<(Call, Timestamp)> {
    matches!(kind, ErrorKind::Throttled { scope: ThrottleScope::Arm, .. }).then(|| (call, sight.now + pause))
}
