//! Bulkheads: what one subscription or storage account may take of a worker, however slowly it answers.

mod breaker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_arm::{CallFacts, CallObserver};
use holdfast_model::{Clock, Lane, Run, SubscriptionId};
use tokio::sync::Notify;

use breaker::Breaker;

/// A compartment is slow while one of its steps has run for this long.
const SLOW: Duration = Duration::from_secs(5);

/// The part of Azure that a step depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Compartment {
    Subscription(SubscriptionId),
    Account(String),
}

/// The shares of a worker's concurrency, and the breakers of subscriptions that do not answer.
///
/// A compartment runs at most its share of the steps: the concurrency divided by the compartments of its kind that have
/// steps, at most one half; three quarters while no other of its kind was seen. While the breaker of a subscription is
/// open, the subscription runs one step at a time, as a probe.
pub struct Bulkheads {
    concurrency: usize,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The starts of the running steps of each compartment.
    running: BTreeMap<Compartment, BTreeSet<(Duration, u64)>>,
    seen: BTreeSet<Compartment>,
    breakers: BTreeMap<SubscriptionId, Breaker>,
    /// Pauses of breakers that opened and are not yet in the store.
    opened: BTreeMap<SubscriptionId, Duration>,
    next: u64,
}

/// The answer to a step that wants to run.
pub(crate) enum Admission {
    /// It may run until the place is dropped.
    Admitted(Place),
    /// The compartment has its share of steps, and they proceed.
    Full,
    /// The compartment has its share of steps, and they hang.
    Slow,
}

/// A place among the running steps.
pub(crate) struct Place {
    bulkheads: Arc<Bulkheads>,
    compartments: Vec<Compartment>,
    key: (Duration, u64),
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.bulkheads.state();
        for compartment in &self.compartments {
            if let Some(running) = state.running.get_mut(compartment) {
                running.remove(&self.key);
                if running.is_empty() {
                    state.running.remove(compartment);
                }
            }
        }
        drop(state);
        self.bulkheads.freed.notify_waiters();
    }
}

impl Bulkheads {
    /// The bulkheads of a worker with this concurrency.
    pub fn new(concurrency: usize, clock: Arc<dyn Clock>) -> Self {
        Self { concurrency: concurrency.max(1), clock, state: Mutex::default(), freed: Notify::new() }
    }

    /// Asks for a place for the next step of `run`.
    pub(crate) fn enter(self: &Arc<Self>, run: &Run) -> Admission {
        let (compartments, now) = (compartments(run), self.clock.elapsed());
        let mut state = self.state();
        state.seen.extend(compartments.iter().cloned());
        let full = compartments.iter().find(|one| state.count(one) >= state.share(one, self.concurrency));
        if let Some(full) = full {
            return if state.is_tripped(full) || state.is_slow(full, now) {
                Admission::Slow
            } else {
                Admission::Full
            };
        }
        let key = (now, state.next);
        state.next += 1;
        for compartment in &compartments {
            state.running.entry(compartment.clone()).or_default().insert(key);
        }
        Admission::Admitted(Place { bulkheads: Arc::clone(self), compartments, key })
    }

    /// Waits until a step ends, or for half a second.
    pub(crate) async fn wait(&self) {
        let _ = tokio::time::timeout(Duration::from_millis(500), self.freed.notified()).await;
    }

    /// The pause of the subscription's breaker, if it opened since the last call.
    pub(crate) fn take_opened(&self, subscription: &SubscriptionId) -> Option<Duration> {
        self.state().opened.remove(subscription)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for Bulkheads {
    fn answered(&self, call: &CallFacts<'_>) {
        let now = self.clock.elapsed();
        let mut state = self.state();
        let breaker = state.breakers.entry(call.subscription.clone()).or_default();
        if call.status.is_some() {
            if breaker.answered() {
                tracing::info!(subscription = %call.subscription, "a subscription answers again");
            }
        } else if let Some(pause) = breaker.unanswered(call.elapsed, now) {
            state.opened.insert(call.subscription.clone(), pause);
        }
    }
}

impl State {
    fn count(&self, compartment: &Compartment) -> usize {
        self.running.get(compartment).map_or(0, BTreeSet::len)
    }

    fn is_tripped(&self, compartment: &Compartment) -> bool {
        let Compartment::Subscription(subscription) = compartment else { return false };
        self.breakers.get(subscription).is_some_and(Breaker::is_open)
    }

    fn is_slow(&self, compartment: &Compartment, now: Duration) -> bool {
        let oldest = self.running.get(compartment).and_then(BTreeSet::first);
        oldest.is_some_and(|(start, _)| now.saturating_sub(*start) >= SLOW)
    }

    /// How many steps the compartment may run.
    fn share(&self, compartment: &Compartment, concurrency: usize) -> usize {
        let is_of_kind =
            |other: &&Compartment| std::mem::discriminant(*other) == std::mem::discriminant(compartment);
        if self.is_tripped(compartment) {
            return 1;
        }
        if self.seen.iter().filter(is_of_kind).count() <= 1 {
            return concurrency - concurrency / 4;
        }
        let others = self.running.keys().filter(is_of_kind).filter(|other| *other != compartment).count();
        (concurrency / (others + 1).max(2)).max(1)
    }
}

/// What the run's next step depends on: its subscription, and its storage account where the step calls storage.
fn compartments(run: &Run) -> Vec<Compartment> {
    let subscription = || Compartment::Subscription(run.app.subscription().clone());
    let account = || Compartment::Account(run.policy_snapshot.account.clone());
    match run.lane() {
        Some(Lane::Begin { .. }) => vec![subscription(), account()],
        Some(Lane::Unmetered) => vec![account()],
        Some(Lane::Poll { .. } | Lane::Mutate { .. }) => vec![subscription()],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, AppId, ManualClock, NewBackup, NewRun, PolicySnapshot, RunId, StorageName, Timestamp, Trigger,
    };

    use super::*;

    fn run(subscription: &str, account: &str) -> Run {
        let (at, app) = (Timestamp::UNIX_EPOCH, App::new(AppId::new(subscription, "g", "shop", None)));
        let backup = NewBackup { tick: None, trigger: Trigger::Manual, due_at: at };
        let id = RunId::new(at, &mut fastrand::Rng::with_seed(1));
        NewRun::backup(id, &app, &PolicySnapshot::new(StorageName::new("weu"), account), backup, at).run
    }

    fn bulkheads(concurrency: usize) -> (Arc<Bulkheads>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        (Arc::new(Bulkheads::new(concurrency, Arc::clone(&clock) as _)), clock)
    }

    /// Lets as many steps in as there is room for.
    fn fill(bulkheads: &Arc<Bulkheads>, run: &Run) -> Vec<Place> {
        let admitted = || match bulkheads.enter(run) {
            Admission::Admitted(place) => Some(place),
            _ => None,
        };
        std::iter::from_fn(admitted).collect()
    }

    fn call(subscription: &SubscriptionId, status: Option<u16>) -> CallFacts<'_> {
        CallFacts {
            operation: holdfast_arm::Operation::GetBackup,
            method: "GET",
            subscription,
            app: None,
            status,
            remaining: holdfast_arm::Remaining::default(),
            elapsed: Duration::from_secs(30),
        }
    }

    #[test]
    fn a_subscription_and_an_account_take_their_share_and_leave_room_for_the_others() {
        let (bulkheads, _clock) = bulkheads(32);
        let hung = fill(&bulkheads, &run("hung", "one"));
        assert_eq!(hung.len(), 24, "a quarter stays free for what was not seen yet");
        assert_eq!(fill(&bulkheads, &run("other", "one")).len(), 0, "the account is full");
        let other = fill(&bulkheads, &run("other", "two"));
        assert_eq!(other.len(), 16);
        drop(hung);
        assert_eq!(fill(&bulkheads, &run("hung", "three")).len(), 16, "two subscriptions, a half each");
    }

    #[test]
    fn a_full_compartment_is_slow_once_a_step_hangs() {
        let (bulkheads, clock) = bulkheads(4);
        let places = fill(&bulkheads, &run("hung", "one"));
        assert!(matches!(bulkheads.enter(&run("hung", "one")), Admission::Full));
        clock.advance(SLOW);
        assert!(matches!(bulkheads.enter(&run("hung", "one")), Admission::Slow));
        drop(places);
        assert!(matches!(bulkheads.enter(&run("hung", "one")), Admission::Admitted(_)));
    }

    #[test]
    fn a_subscription_that_does_not_answer_runs_one_probe_at_a_time_until_it_answers() {
        let (bulkheads, clock) = bulkheads(8);
        let hung = SubscriptionId::new("hung");
        for _ in 0..5 {
            clock.advance(Duration::from_secs(30));
            bulkheads.answered(&call(&hung, None));
        }
        assert_eq!(bulkheads.take_opened(&hung), Some(Duration::from_secs(30)));
        assert_eq!(bulkheads.take_opened(&hung), None);
        assert_eq!(fill(&bulkheads, &run("hung", "one")).len(), 1);
        clock.advance(Duration::from_mins(1));
        bulkheads.answered(&call(&hung, None));
        assert_eq!(bulkheads.take_opened(&hung), Some(Duration::from_mins(1)), "the pause grows");
        bulkheads.answered(&call(&hung, Some(500)));
        assert_eq!(fill(&bulkheads, &run("hung", "one")).len(), 6);
    }
}
