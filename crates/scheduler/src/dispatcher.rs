//! The dispatcher: due runs become messages, within the admission limits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_model::{Limits, Timestamp};
use holdfast_queue::{Message, Queue};
use holdfast_store::{DueLanes, LeaseTerms, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::fairness::allocate_fairly;
use crate::planning_context::log_failure;

/// Default maximum pause between passes, because another process may make runs due.
const INTERVAL: Duration = Duration::from_secs(1);

/// Minimum pause between passes, so that runs which become due together are leased in one transaction.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// Maximum pause while steps are under way: each may end in another process, and make its run due.
const PAUSE_UNDER_WAY: Duration = Duration::from_millis(200);

/// Publishes due runs. It is also admission control: a published step may run at once, so workers never wait.
#[derive(Debug)]
pub struct Dispatcher {
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    limits: Limits,
    lease: Duration,
    due_signal: Arc<Notify>,
    interval: Duration,
    /// Draws the seeds of leases.
    rng: Mutex<fastrand::Rng>,
}

/// The result of one pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Leases that expired because messages or workers were lost.
    pub reclaimed: u64,
    /// Runs published.
    pub released: usize,
    /// Runs that were leased when the pass began.
    pub outstanding: u32,
    /// When the next run becomes due, if known.
    pub next_at: Option<Timestamp>,
    /// The store's time.
    pub now: Timestamp,
}

impl Dispatcher {
    /// A dispatcher that leases each step for `lease` and starts a pass at once on `due_signal`. `rng` draws the numbers of
    /// leases, which differ between processes.
    pub fn new(
        store: Arc<dyn Store>,
        queue: Arc<dyn Queue>,
        limits: Limits,
        lease: Duration,
        due_signal: Arc<Notify>,
        rng: fastrand::Rng,
    ) -> Self {
        Self { store, queue, limits, lease, due_signal, interval: INTERVAL, rng: Mutex::new(rng) }
    }

    /// Sets the maximum pause between passes.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Runs passes until `stop`. A failed pass is logged; the leases of unpublished runs expire.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause_under_way = PAUSE_MIN;
        while !stop.is_cancelled() {
            let pause = match self.dispatch().await {
                Ok(done) => {
                    let pause = pause_after(&done, self.interval, pause_under_way);
                    pause_under_way = next_pause_under_way(&done, pause_under_way);
                    pause
                }
                Err(error) => {
                    log_failure("dispatch", &error);
                    self.interval
                }
            };
            // Waits for the minimum pause, then for the signal or the rest of the pause.
            let _ = tokio::time::timeout(PAUSE_MIN, stop.cancelled()).await;
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                _ = tokio::time::timeout(pause, self.due_signal.notified()) => {}
            }
        }
    }

    /// One pass: reclaim expired leases, read the due lanes, allocate quotas, lease and publish.
    pub async fn dispatch(&self) -> Result<Dispatched, Error> {
        let reclaimed = self.store.reclaim().await?;
        if reclaimed > 0 {
            tracing::warn!(
                reclaimed,
                "leases expired because messages or workers were lost; their runs are due again"
            );
        }
        let DueLanes { now, outstanding, lanes, next_at } = self.store.due_lanes().await?;
        let quotas = allocate_fairly(&lanes, self.limits.outstanding.saturating_sub(outstanding));
        let mut released = 0;
        if !quotas.is_empty() {
            let seed = self.rng.lock().unwrap_or_else(PoisonError::into_inner).u64(..);
            let terms = LeaseTerms { lasts: self.lease, seed };
            let leased = self.store.acquire(&quotas, &self.limits, terms).await?;
            let messages: Vec<_> =
                leased.iter().map(|leased| Message::new(leased.wakeup, leased.priority)).collect();
            released = messages.len();
            if released > 0 {
                // After a crash here, or if the queue refuses, the leases expire and the runs are due again.
                self.queue.publish(&messages).await?;
            }
        }
        Ok(Dispatched { reclaimed, released, outstanding, next_at, now })
    }
}

/// No pause after a pass that published, because more may wait; otherwise until the next run is due, or `under_way` while steps
/// are under way.
fn pause_after(done: &Dispatched, at_most: Duration, under_way: Duration) -> Duration {
    if done.released > 0 {
        return Duration::ZERO;
    }
    let at_most = if done.outstanding > 0 { under_way.min(at_most) } else { at_most };
    let next = done.next_at.map(|next| (next - done.now).to_std().unwrap_or_default());
    next.map_or(at_most, |pause| pause.min(at_most))
}

/// The next pause while steps are under way: twice as long as the last one, so that steps which take long cost little.
fn next_pause_under_way(done: &Dispatched, last: Duration) -> Duration {
    if done.released == 0 && done.outstanding > 0 { (last * 2).min(PAUSE_UNDER_WAY) } else { PAUSE_MIN }
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
        let pause = |done: &Dispatched| pause_after(done, INTERVAL, PAUSE_MIN);
        assert_eq!(pause(&at(300)), Duration::from_millis(300));
        assert_eq!(pause(&at(90_000)), INTERVAL);
        assert_eq!(pause(&Dispatched { now, ..Dispatched::default() }), INTERVAL);
        assert_eq!(pause(&Dispatched { released: 1, ..at(300) }), Duration::ZERO);
    }

    #[test]
    fn while_steps_are_under_way_the_pauses_grow_until_runs_are_published() {
        let under_way = Dispatched { outstanding: 3, ..Dispatched::default() };
        let mut pause = PAUSE_MIN;
        let mut pauses = Vec::new();
        for _ in 0..6 {
            pauses.push(pause_after(&under_way, INTERVAL, pause).as_millis());
            pause = next_pause_under_way(&under_way, pause);
        }
        assert_eq!(pauses, [20, 40, 80, 160, 200, 200]);
        let (published, idle) = (Dispatched { released: 1, ..under_way }, Dispatched::default());
        assert_eq!([published, idle].map(|done| next_pause_under_way(&done, pause)), [PAUSE_MIN; 2]);
        assert_eq!(pause_after(&idle, INTERVAL, pause), INTERVAL);
    }
}
