//! The dispatcher: due runs become messages, within what Azure allows.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Limits, Timestamp};
use holdfast_queue::{Message, Queue};
use holdfast_store::{DueLanes, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::fairness::allocate_fairly;

/// The longest pause between two looks, unless told otherwise, in case another process made something due.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(1);

/// The shortest pause: what becomes due meanwhile is handed out in one transaction.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_millis(20);

/// Hands out due runs. It is also admission control: what it hands out may be done at once, so workers never wait.
#[derive(Debug)]
pub struct Dispatcher {
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    limits: Limits,
    lease: Duration,
    bell: Arc<Notify>,
    look_every: Duration,
}

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Leases that passed: messages or workers were lost.
    pub reclaimed: u64,
    /// Runs handed out.
    pub released: usize,
    /// When next something becomes due, as far as is known.
    pub next_at: Option<Timestamp>,
    /// The store's time.
    pub now: Timestamp,
}

impl Dispatcher {
    /// A dispatcher that gives each step `lease` to be worked off, and looks at once when `bell` rings.
    pub fn new(
        store: Arc<dyn Store>,
        queue: Arc<dyn Queue>,
        limits: Limits,
        lease: Duration,
        bell: Arc<Notify>,
    ) -> Self {
        Self { store, queue, limits, lease, bell, look_every: LOOK_AT_LEAST_EVERY }
    }

    /// Looks at least this often.
    #[must_use]
    pub fn looking_every(mut self, look_every: Duration) -> Self {
        self.look_every = look_every;
        self
    }

    /// Dispatches until `stop`. A pass that fails is logged; leases make up for it.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.dispatch().await {
                Ok(done) => pause_after(&done, self.look_every),
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "failed to dispatch; trying again"
                    );
                    self.look_every
                }
            };
            // Waits out the shortest pause, then for the bell or the rest; that nothing came is the usual case.
            let _ = tokio::time::timeout(LOOK_AT_MOST_EVERY, stop.cancelled()).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                _ = tokio::time::timeout(pause, self.bell.notified()) => {}
            }
        }
    }

    /// One pass: take back what was lost, look, share, hand out.
    pub async fn dispatch(&self) -> Result<Dispatched, Error> {
        let reclaimed = self.store.reclaim().await?;
        if reclaimed > 0 {
            tracing::warn!(
                reclaimed,
                "leases passed: messages or workers were lost; their runs are due again"
            );
        }
        let DueLanes { now, outstanding, lanes, next_at } = self.store.due_lanes().await?;
        let asks = allocate_fairly(&lanes, self.limits.outstanding.saturating_sub(outstanding));
        let mut released = 0;
        if !asks.is_empty() {
            let taken = self.store.acquire(&asks, &self.limits, self.lease).await?;
            let messages: Vec<_> =
                taken.iter().map(|taken| Message::new(taken.wakeup, taken.priority)).collect();
            released = messages.len();
            if released > 0 {
                // A crash here, or a queue that takes nothing, costs the lease: the rows come due again.
                self.queue.publish(&messages).await?;
            }
        }
        Ok(Dispatched { reclaimed, released, next_at, now })
    }
}

/// Something was handed out: more may wait behind it, so look again soon. Else until the next is due.
fn pause_after(done: &Dispatched, at_most: Duration) -> Duration {
    if done.released > 0 {
        return Duration::ZERO;
    }
    let next = done.next_at.map(|next| (next - done.now).to_std().unwrap_or_default());
    next.map_or(at_most, |pause| pause.min(at_most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_is_what_is_left_until_the_next_is_due_and_never_long() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |millis: u64| Dispatched {
            next_at: Some(now + Duration::from_millis(millis)),
            now,
            ..Dispatched::default()
        };
        assert_eq!(pause_after(&at(300), LOOK_AT_LEAST_EVERY), Duration::from_millis(300));
        assert_eq!(pause_after(&at(90_000), LOOK_AT_LEAST_EVERY), LOOK_AT_LEAST_EVERY);
        assert_eq!(
            pause_after(&Dispatched { now, ..Dispatched::default() }, LOOK_AT_LEAST_EVERY),
            LOOK_AT_LEAST_EVERY
        );
        assert_eq!(pause_after(&Dispatched { released: 1, ..at(300) }, LOOK_AT_LEAST_EVERY), Duration::ZERO);
    }
}
