//! A limit for log lines that foreign messages cause.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Admits one line in each interval, and counts the others.
#[derive(Debug)]
pub(super) struct LogLimit {
    every: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    left_out: u64,
}

impl LogLimit {
    /// Admits a line every `every`.
    pub fn new(every: Duration) -> Self {
        Self { every, state: Mutex::default() }
    }

    /// The number of lines left out since the last one, if a line is due at `now`.
    pub fn admit(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| now.saturating_duration_since(last) < self.every) {
            state.left_out += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_one_line_in_each_interval_which_counts_the_others() {
        let (limit, start) = (LogLimit::new(Duration::from_secs(10)), Instant::now());
        let at = |millis| limit.admit(start + Duration::from_millis(millis));
        assert_eq!(at(0), Some(0));
        assert_eq!((1..10_000).filter_map(at).count(), 0);
        assert_eq!(at(10_000), Some(9_999));
        assert_eq!(at(90_000), Some(0));
    }
}
