//! How long a call waits for a token, and when a failed read is repeated. Pure.

use std::time::Duration;

use holdfast_arm::{Error, ErrorKind};

use super::observer::WaitReason;

/// The longest wait for one call that a command accepts; beyond it the call fails, and says why.
pub const WAIT_MAX: Duration = Duration::from_mins(5);

/// How long a caller waits for its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Waits up to five minutes for a token, and repeats reads that fail in passing: for commands.
    Command,
    /// Waits a few seconds for a token and repeats nothing: for loops that ask again by themselves. Where runs use the
    /// budget up, the call is made all the same, and later calls pay for it; a closed budget is kept closed.
    Loop,
}

impl Patience {
    /// The longest wait for the token of one call.
    pub fn wait_max(self) -> Duration {
        if self == Self::Command { WAIT_MAX } else { Duration::from_secs(10) }
    }

    /// Whether a call may go without a token after waits of which the last one was `wait`.
    pub fn goes_unpaid(self, wait: Duration) -> bool {
        self == Self::Loop && wait <= self.wait_max()
    }
}

/// The most calls that a throttled read takes.
const THROTTLED_MAX: u32 = 10;
/// The most calls that a read takes whose answers are lost or unusable.
const LOST_MAX: u32 = 4;
/// The most calls that a read takes while Azure cannot be reached: that mostly lasts.
const UNSENT_MAX: u32 = 2;

/// The pause before a read is repeated after `failures` failures, and its reason; `None` when it is not repeated.
///
/// `Retry-After` is a minimum. It may be missing or zero, so pauses grow from a minimum of their own.
pub fn pause_before_retry(error: &Error, failures: u32) -> Option<(Duration, WaitReason)> {
    let (most, first, requested, reason) = match error.kind() {
        ErrorKind::Throttled { retry_after, .. } => {
            (THROTTLED_MAX, Duration::from_secs(1), *retry_after, WaitReason::Throttled)
        }
        ErrorKind::Conflict { retry_after } => {
            (LOST_MAX, Duration::from_secs(1), *retry_after, WaitReason::Failed)
        }
        ErrorKind::Ambiguous => {
            (LOST_MAX, Duration::from_millis(500), error.retry_after(), WaitReason::Failed)
        }
        ErrorKind::NotSent => (UNSENT_MAX, Duration::from_millis(500), None, WaitReason::Failed),
        ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Unauthorized
        | ErrorKind::CredentialRefused
        | ErrorKind::Rejected => return None,
    };
    let grown = first * 2_u32.pow(failures.saturating_sub(1).min(5));
    let pause = grown.max(requested.unwrap_or_default());
    (failures < most && pause <= WAIT_MAX).then_some((pause, reason))
}

#[cfg(test)]
mod tests {
    use holdfast_arm::{Operation, ThrottleScope};

    use super::*;

    fn failed(kind: ErrorKind) -> Error {
        Error::new(Operation::GetSite, "shop", kind, "azure answered")
    }

    fn throttled(seconds: Option<u64>) -> Error {
        let retry_after = seconds.map(Duration::from_secs);
        failed(ErrorKind::Throttled { retry_after, scope: ThrottleScope::Arm })
    }

    fn pause(error: &Error, failures: u32) -> Option<u64> {
        pause_before_retry(error, failures).map(|(pause, _)| u64::try_from(pause.as_millis()).unwrap())
    }

    #[test]
    fn a_throttled_read_waits_as_long_as_azure_asks_and_never_less_than_its_minimum() {
        assert_eq!(pause(&throttled(Some(17)), 1), Some(17_000));
        for missing in [None, Some(0)] {
            assert_eq!(pause(&throttled(missing), 1), Some(1_000));
            assert_eq!(pause(&throttled(missing), 4), Some(8_000));
        }
        assert_eq!(pause(&throttled(Some(1)), 10), None, "it ends");
        assert_eq!(pause(&throttled(Some(86_400)), 1), None, "a command does not wait a day");
    }

    #[test]
    fn a_loop_goes_without_a_token_unless_the_budget_is_closed() {
        let (short, closed) = (Duration::from_secs(3), Duration::from_mins(2));
        assert!(Patience::Loop.goes_unpaid(short) && !Patience::Loop.goes_unpaid(closed));
        assert!(!Patience::Command.goes_unpaid(short));
    }

    #[test]
    fn a_read_that_fails_in_passing_is_repeated_and_a_refused_one_is_not() {
        assert_eq!(pause(&failed(ErrorKind::Ambiguous), 1), Some(500));
        assert_eq!(pause(&failed(ErrorKind::Ambiguous), 4), None);
        let asked = failed(ErrorKind::Ambiguous).with_retry_after(Some(Duration::from_secs(9)));
        assert_eq!(pause(&asked, 1), Some(9_000));
        assert_eq!(
            (pause(&failed(ErrorKind::NotSent), 1), pause(&failed(ErrorKind::NotSent), 2)),
            (Some(500), None)
        );
        for kind in [ErrorKind::Forbidden, ErrorKind::NotFound, ErrorKind::Unauthorized, ErrorKind::Rejected]
        {
            assert_eq!(pause(&failed(kind), 1), None);
        }
    }
}
