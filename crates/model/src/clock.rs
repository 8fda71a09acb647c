//! Clocks. Code that needs the time holds a [`Clock`].

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// An instant in UTC with millisecond precision, as rows hold it.
pub type Timestamp = DateTime<Utc>;

/// A source of time.
pub trait Clock: Send + Sync + Debug {
    /// The wall time, truncated to the millisecond so that rows hold it exactly.
    fn now(&self) -> Timestamp;

    /// Time since this clock was created. It is monotonic, unlike the wall time.
    fn elapsed(&self) -> Duration;
}

/// The clock of the host.
#[derive(Debug)]
pub struct SystemClock {
    made: std::time::Instant,
}

impl Default for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the host's clock")]
    fn default() -> Self {
        Self { made: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the host's clock")]
    fn now(&self) -> Timestamp {
        Utc::now().trunc_subsecs(3)
    }

    fn elapsed(&self) -> Duration {
        self.made.elapsed()
    }
}

/// A clock that moves only when set, for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    start: Timestamp,
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        let start = start.trunc_subsecs(3);
        Self { start, now: Mutex::new(start) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.lock() += by;
    }

    /// Sets the clock to `now`, which may be in its past, as a host's clock may be.
    pub fn set(&self, now: Timestamp) {
        *self.lock() = now.trunc_subsecs(3);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }

    fn elapsed(&self) -> Duration {
        (*self.lock() - self.start).to_std().unwrap_or_default()
    }
}

/// The text of an instant in rows and output. It has a fixed width, so text order is time order.
pub fn format_timestamp(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Parses RFC 3339 text, such as [`format_timestamp`] writes.
pub fn parse_timestamp(text: &str) -> Result<Timestamp, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_survives_a_text_round_trip() {
        let at = SystemClock::default().now();
        assert_eq!(parse_timestamp(&format_timestamp(at)), Ok(at));
    }

    #[test]
    fn a_manual_clock_advances_only_on_request() {
        let clock = ManualClock::new(parse_timestamp("2026-03-29T00:30:00Z").unwrap());
        assert_eq!(clock.elapsed(), Duration::ZERO);
        clock.advance(Duration::from_secs(90));
        assert_eq!(format_timestamp(clock.now()), "2026-03-29T00:31:30.000Z");
        assert_eq!(clock.elapsed(), Duration::from_secs(90));
    }
}
