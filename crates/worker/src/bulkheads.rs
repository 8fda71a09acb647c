//! Bulkheads: what one tenant, subscription or storage account may take of a worker, however slowly it answers.

mod breaker;
mod compartment;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_arm::{CallFacts, CallObserver};
use holdfast_model::{Clock, Run, SubscriptionId};
use tokio::sync::Notify;

use breaker::Breaker;

pub use compartment::{Compartment, Tenants};

/// A compartment is slow while one of its steps has run for this long.
const SLOW: Duration = Duration::from_secs(5);

/// The shortest pause of a run that finds no room beside hanging steps.
const PUT_BACK_MIN: Duration = Duration::from_secs(5);

/// The shares of a worker's concurrency, and the breakers of what does not answer.
///
/// A compartment runs at most its share of the steps: the concurrency divided by the compartments of its kind that have
/// steps, at most one half; three quarters while no other of its kind was seen. The tenant of a fleet with one tenant has no
/// limit. While the breaker of a compartment is open, the compartment runs one step at a time, as a probe.
pub struct Bulkheads {
    concurrency: usize,
    tenants: Tenants,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The starts of the running steps of each compartment.
    running: BTreeMap<Compartment, BTreeSet<(Duration, u64)>>,
    seen: BTreeSet<Compartment>,
    breakers: BTreeMap<Compartment, Breaker>,
    /// Changes of breakers that are not reported yet.
    changes: Vec<BreakerChange>,
    next: u64,
}

/// A breaker opened, opened again after a probe, or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BreakerChange {
    /// What does not answer, or answers again.
    pub compartment: Compartment,
    /// The time until the next probe; `None` for a breaker that closed.
    pub pause: Option<Duration>,
    /// The subscriptions whose runs wait for the probe.
    pub subscriptions: Vec<SubscriptionId>,
}

/// The answer to a step that wants to run.
pub(crate) enum Admission {
    /// It may run until the place is dropped.
    Admitted(Place),
    /// The compartment has its share of steps, and they proceed.
    Full,
    /// The compartment has its share of steps, and they hang. The run waits for this time.
    Slow(Duration),
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
    pub fn new(concurrency: usize, tenants: Tenants, clock: Arc<dyn Clock>) -> Self {
        let (concurrency, state) = (concurrency.max(1), Mutex::default());
        Self { concurrency, tenants, clock, state, freed: Notify::new() }
    }

    /// Asks for a place for the next step of `run`.
    pub(crate) fn enter(self: &Arc<Self>, run: &Run) -> Admission {
        let (compartments, now) = (self.tenants.compartments(run), self.clock.elapsed());
        let mut state = self.state();
        state.seen.extend(compartments.iter().cloned());
        let full = compartments.iter().find(|one| state.count(one) >= self.share(&state, one));
        if let Some(full) = full {
            return match state.breakers.get(full).filter(|breaker| breaker.is_open()) {
                Some(breaker) => Admission::Slow(breaker.until().saturating_sub(now).max(PUT_BACK_MIN)),
                None if state.is_slow(full, now) => Admission::Slow(PUT_BACK_MIN),
                None => Admission::Full,
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

    /// The changes of breakers since the last call.
    pub(crate) fn take_changes(&self) -> Vec<BreakerChange> {
        std::mem::take(&mut self.state().changes)
    }

    /// Notes that a storage account answered, or did not answer for `waited`.
    pub(crate) fn storage_answered(&self, account: &str, waited: Option<Duration>) {
        self.note(Compartment::Account(account.to_owned()), waited);
    }

    /// Notes an answer, or that there was none for `waited`.
    fn note(&self, compartment: Compartment, waited: Option<Duration>) {
        let (now, mut state) = (self.clock.elapsed(), self.state());
        let breaker = state.breakers.entry(compartment.clone()).or_default();
        let pause = match waited {
            None if breaker.answered() => None,
            None => return,
            Some(waited) => match breaker.unanswered(waited, now) {
                None => return,
                pause => pause,
            },
        };
        let is_of = |subscription: &SubscriptionId| match &compartment {
            Compartment::Subscription(own) => own == subscription,
            Compartment::Tenant(_) => self.tenants.of(subscription) == compartment,
            Compartment::Account(_) => false,
        };
        let seen = state.seen.iter().filter_map(|seen| match seen {
            Compartment::Subscription(subscription) => Some(subscription),
            _ => None,
        });
        let subscriptions = seen.filter(|seen| is_of(seen)).cloned().collect();
        state.changes.push(BreakerChange { compartment, pause, subscriptions });
    }

    /// How many steps the compartment may run.
    fn share(&self, state: &State, compartment: &Compartment) -> usize {
        let is_of_kind =
            |other: &&Compartment| std::mem::discriminant(*other) == std::mem::discriminant(compartment);
        if state.is_tripped(compartment) {
            return 1;
        }
        if state.seen.iter().filter(is_of_kind).count() > 1 {
            let running = state.running.keys().filter(is_of_kind);
            let others = running.filter(|other| *other != compartment).count();
            return (self.concurrency / (others + 1).max(2)).max(1);
        }
        // Where the fleet file has one tenant, none is there to keep room for.
        let is_only = matches!(compartment, Compartment::Tenant(_)) && self.tenants.are_one();
        if is_only { self.concurrency } else { self.concurrency - self.concurrency / 4 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for Bulkheads {
    fn answered(&self, call: &CallFacts<'_>) {
        // It was sent with a token.
        self.note(self.tenants.of(call.subscription), None);
        let waited = call.status.is_none().then_some(call.elapsed);
        self.note(Compartment::Subscription(call.subscription.clone()), waited);
    }

    fn no_token(&self, subscription: &SubscriptionId, elapsed: Duration) {
        self.note(self.tenants.of(subscription), Some(elapsed));
    }
}

impl State {
    fn count(&self, compartment: &Compartment) -> usize {
        self.running.get(compartment).map_or(0, BTreeSet::len)
    }

    fn is_tripped(&self, compartment: &Compartment) -> bool {
        self.breakers.get(compartment).is_some_and(Breaker::is_open)
    }

    fn is_slow(&self, compartment: &Compartment, now: Duration) -> bool {
        let oldest = self.running.get(compartment).and_then(BTreeSet::first);
        oldest.is_some_and(|(start, _)| now.saturating_sub(*start) >= SLOW)
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
        let by_subscription = ["hung-2", "hung-3"].map(|name| (SubscriptionId::new(name), "fabrikam".into()));
        let tenants = Tenants { by_subscription: by_subscription.into(), otherwise: "contoso".into() };
        (Arc::new(Bulkheads::new(concurrency, tenants, Arc::clone(&clock) as _)), clock)
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

    /// The breakers that changed, and their pauses in seconds.
    fn changes(bulkheads: &Bulkheads) -> Vec<(String, Option<u64>)> {
        let told = |change: BreakerChange| {
            let of = format!("{} {}", change.compartment.kind(), change.compartment.name());
            (of, change.pause.map(|pause| pause.as_secs()))
        };
        bulkheads.take_changes().into_iter().map(told).collect()
    }

    #[test]
    fn a_subscription_and_an_account_take_their_share_and_leave_room_for_the_others() {
        let (bulkheads, _clock) = bulkheads(32);
        let hung = fill(&bulkheads, &run("hung", "one"));
        assert_eq!(hung.len(), 24, "a quarter stays free for what was not seen yet");
        assert_eq!(fill(&bulkheads, &run("other", "one")).len(), 0, "the account is full");
        assert_eq!(fill(&bulkheads, &run("other", "two")).len(), 0, "their tenant is full");
        let other = fill(&bulkheads, &run("hung-2", "two"));
        assert_eq!(other.len(), 16);
        drop(hung);
        assert_eq!(fill(&bulkheads, &run("hung", "three")).len(), 16, "two subscriptions, a half each");
    }

    #[test]
    fn the_subscriptions_of_a_tenant_that_hangs_take_one_share_together() {
        let (bulkheads, _clock) = bulkheads(30);
        let _other = fill(&bulkheads, &run("hung", "one")).into_iter().take(1).collect::<Vec<_>>();
        let both = [fill(&bulkheads, &run("hung-2", "two")), fill(&bulkheads, &run("hung-3", "three"))];
        assert_eq!(both.map(|places| places.len()).iter().sum::<usize>(), 15);
    }

    #[test]
    fn the_only_tenant_of_a_fleet_uses_the_whole_worker() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let bulkheads = Arc::new(Bulkheads::new(8, Tenants::default(), clock));
        let (one, two) = (fill(&bulkheads, &run("a", "one")), fill(&bulkheads, &run("b", "two")));
        assert_eq!((one.len(), two.len()), (6, 2));
    }

    #[test]
    fn a_full_compartment_is_slow_once_a_step_hangs() {
        let (bulkheads, clock) = bulkheads(4);
        let places = fill(&bulkheads, &run("hung", "one"));
        assert!(matches!(bulkheads.enter(&run("hung", "one")), Admission::Full));
        clock.advance(SLOW);
        assert!(matches!(bulkheads.enter(&run("hung", "one")), Admission::Slow(PUT_BACK_MIN)));
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
        assert_eq!(changes(&bulkheads), [("subscription hung".to_owned(), Some(30))]);
        assert_eq!(changes(&bulkheads), []);
        assert_eq!(fill(&bulkheads, &run("hung", "one")).len(), 1);
        clock.advance(Duration::from_mins(1));
        bulkheads.answered(&call(&hung, None));
        assert_eq!(changes(&bulkheads), [("subscription hung".to_owned(), Some(60))], "the pause grows");
        let probe = fill(&bulkheads, &run("hung", "one"));
        let Admission::Slow(pause) = bulkheads.enter(&run("hung", "one")) else {
            panic!("room beside a probe")
        };
        assert_eq!((probe.len(), pause.as_secs()), (1, 60), "the others wait for the next probe");
        drop(probe);
        bulkheads.answered(&call(&hung, Some(500)));
        assert_eq!(changes(&bulkheads), [("subscription hung".to_owned(), None)]);
        assert_eq!(fill(&bulkheads, &run("hung", "one")).len(), 6);
    }

    #[test]
    fn a_token_endpoint_that_hangs_opens_the_breaker_of_its_tenant_and_names_the_subscriptions() {
        let (bulkheads, _clock) = bulkheads(8);
        let names = ["hung-2", "hung-3", "well"];
        let _places: Vec<_> = names.map(|name| fill(&bulkheads, &run(name, name)).pop()).into();
        for _ in 0..5 {
            bulkheads.no_token(&SubscriptionId::new("hung-2"), Duration::from_secs(30));
        }
        let change = bulkheads.take_changes().pop().unwrap();
        assert_eq!(change.compartment, Compartment::Tenant("fabrikam".into()));
        assert_eq!(change.subscriptions, ["hung-2", "hung-3"].map(SubscriptionId::new));
        bulkheads.answered(&call(&SubscriptionId::new("hung-3"), None));
        assert_eq!(changes(&bulkheads), [("tenant fabrikam".to_owned(), None)], "it had a token");
    }

    #[test]
    fn a_storage_account_that_hangs_holds_up_what_reads_from_it_and_nothing_else() {
        let (bulkheads, _clock) = bulkheads(8);
        for _ in 0..5 {
            bulkheads.storage_answered("one", Some(Duration::from_secs(15)));
        }
        assert_eq!(changes(&bulkheads), [("storage_account one".to_owned(), Some(30))]);
        assert_eq!(fill(&bulkheads, &run("a", "one")).len(), 1);
        assert_eq!(fill(&bulkheads, &run("a", "two")).len(), 4);
        bulkheads.storage_answered("one", None);
        assert_eq!(changes(&bulkheads), [("storage_account one".to_owned(), None)]);
    }
}
