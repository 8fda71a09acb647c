//! Waiting for a condition.

use std::time::Duration;

use holdfast_model::{Clock, SystemClock};

/// The interval between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Repeats `ask` until it returns a value. Panics with `what` when `within` has passed.
pub(crate) async fn eventually<T>(
    what: &str,
    within: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let clock = SystemClock::default();
    let mut ticks = tokio::time::interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(clock.elapsed() < within, "not within {within:?}: {what}");
    }
}

/// Waits for a fixed time, not for a condition.
pub(crate) async fn last(span: Duration) {
    let never = std::future::pending::<()>();
    assert!(tokio::time::timeout(span, never).await.is_err());
}
