//! Waiting for something to become so.

use std::time::Duration;

use holdfast_model::{Clock, SystemClock};

/// How often a question is asked again.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Asks until there is an answer. When `within` has passed without one, the test fails with `what` was waited for.
pub(crate) async fn eventually<T>(
    what: &str,
    within: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let clock = SystemClock::default();
    let mut ticks = tokio::time::interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(clock.elapsed() < within, "not within {within:?}: {what}");
    }
}

/// Lets the trouble have its time. Nothing is waited for here but the clock.
pub(crate) async fn last(span: Duration) {
    let never = std::future::pending::<()>();
    assert!(tokio::time::timeout(span, never).await.is_err());
}
