//! The breaker of an endpoint that accepts requests and does not answer. Pure.

use std::time::Duration;

/// Requests in a row without an answer that open the breaker.
const UNANSWERED_MAX: u32 = 5;
/// A request that failed sooner was refused and not left unanswered.
const TIMEOUT_MIN: Duration = Duration::from_secs(1);
/// Shortest and longest pause of an open breaker.
const PAUSE_MIN: Duration = Duration::from_secs(30);
const PAUSE_MAX: Duration = Duration::from_mins(15);

/// Counts the requests without an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    /// Requests in a row without an answer.
    unanswered: u32,
    /// How often it opened in a row.
    openings: u32,
    /// When it last opened, on the monotonic clock.
    opened_at: Duration,
    /// How long it stays open from then on, until the next probe.
    pause: Duration,
}

impl Breaker {
    /// Whether it is open, or waits for the answer to a probe.
    pub fn is_open(&self) -> bool {
        self.openings > 0
    }

    /// When the next probe is due, on the monotonic clock.
    pub fn until(&self) -> Duration {
        self.opened_at + self.pause
    }

    /// Notes an answer, which closes it. True if it was open.
    pub fn answered(&mut self) -> bool {
        let was_open = self.is_open();
        *self = Self::default();
        was_open
    }

    /// Notes a request that got no answer for `waited`, at `now`. Returns the pause if that opens the breaker.
    ///
    /// Requests that were sent before it opened say nothing new.
    pub fn unanswered(&mut self, waited: Duration, now: Duration) -> Option<Duration> {
        let is_old = self.is_open() && now.saturating_sub(waited) < self.opened_at;
        if waited < TIMEOUT_MIN || is_old {
            return None;
        }
        self.unanswered += 1;
        if !self.is_open() && self.unanswered < UNANSWERED_MAX {
            return None;
        }
        let pause = PAUSE_MIN.saturating_mul(1 << self.openings.min(8)).min(PAUSE_MAX);
        *self = Self { unanswered: 0, openings: self.openings + 1, opened_at: now, pause };
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_opens_after_several_requests_in_a_row_and_its_pause_grows_with_each_failed_probe() {
        let mut breaker = Breaker::default();
        assert!((0..4).all(|_| breaker.unanswered(LIMIT, at(100)).is_none()));
        breaker.answered();
        assert!((0..4).all(|_| breaker.unanswered(LIMIT, at(100)).is_none()));
        assert_eq!(breaker.unanswered(LIMIT, at(100)), Some(at(30)));
        // These were under way when it opened.
        assert!((0..9).all(|_| breaker.unanswered(LIMIT, at(110)).is_none()));
        let pauses = [200, 400, 800, 1_600, 3_200, 6_400].map(|now| breaker.unanswered(LIMIT, at(now)));
        assert_eq!(pauses.map(|pause| pause.unwrap().as_secs()), [60, 120, 240, 480, 900, 900]);
        assert!(breaker.answered() && !breaker.is_open() && !breaker.answered());
    }

    #[test]
    fn a_connection_that_is_refused_at_once_does_not_open_it() {
        let mut breaker = Breaker::default();
        assert!((0..99).all(|_| breaker.unanswered(Duration::from_millis(20), at(1)).is_none()));
    }
}
