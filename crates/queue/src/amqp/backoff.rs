//! How long to wait before the next attempt to reach the broker.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

/// The longest pause: a broker that came back is found within it.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Pauses that grow to five seconds and never end, spread so that a hundred workers do not return at once.
pub(super) struct Backoff(ExponentialBackoff);

impl Backoff {
    pub fn new() -> Self {
        let pauses =
            ExponentialBuilder::new().with_min_delay(Duration::from_millis(100)).with_max_delay(PAUSE_MAX);
        Self(pauses.without_max_times().with_jitter().build())
    }

    /// Waits for its turn, or for `stop`. Returns whether to go on.
    pub async fn pause(&mut self, stop: &CancellationToken) -> bool {
        let pause = self.0.next().unwrap_or(PAUSE_MAX).min(PAUSE_MAX);
        tokio::time::timeout(pause, stop.cancelled()).await.is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_never_end_and_never_grow_past_their_limit() {
        let (mut backoff, stop) = (Backoff::new(), CancellationToken::new());
        for _ in 0..500 {
            let began = tokio::time::Instant::now();
            assert!(backoff.pause(&stop).await);
            assert!(began.elapsed() <= PAUSE_MAX + Duration::from_millis(1));
        }
        stop.cancel();
        assert!(!backoff.pause(&stop).await);
    }
}
