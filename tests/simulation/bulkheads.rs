//! Two subscriptions with runs due at once, one of which accepts requests and never answers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_arm::{Transport, TransportError, TransportRequest, TransportResponse};
use holdfast_model::{
    App, AppId, Limits, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName, SubscriptionId, Timestamp,
};
use holdfast_simulator::{Config, Fleet, InProcess, Pace};
use holdfast_store::{MemoryStore, RunFilter, Store};
use holdfast_worker::Settings;
use tokio::time::Instant;

use crate::faults::pause;
use crate::quiet_world::QuietWorld;

/// Long enough for a probe.
const MINUTES: Duration = Duration::from_mins(5);

/// Apps of both subscriptions.
const APPS: usize = 60;

/// A transport on which requests about one subscription hang until their time limit.
struct Hanging {
    inner: InProcess,
    subscription: Option<String>,
}

#[async_trait]
impl Transport for Hanging {
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError> {
        let path = request.url.path().to_lowercase();
        if self.subscription.as_ref().is_some_and(|subscription| path.contains(subscription)) {
            pause(Settings::default().call_timeout).await;
            return Err(TransportError::ambiguous("no answer in time"));
        }
        self.inner.send(request).await
    }
}

/// How long the backups of one subscription take while the other one hangs, or does not; and the store.
async fn time_to_back_up(hangs: bool) -> (Duration, Arc<MemoryStore>, SubscriptionId) {
    let fleet = Fleet::generate(APPS, 7);
    let mut subscriptions = fleet.subscriptions().into_iter();
    let (hung, healthy) = (subscriptions.next().unwrap(), subscriptions.next().unwrap());
    let mut config = Config::new(fleet);
    config.pace = Pace { backup_median: Duration::from_secs(90), ..Pace::default() };
    let limits = Limits { outstanding: 32, ..Limits::default() };
    let subscription = hangs.then(|| hung.as_str().to_owned());
    let world =
        QuietWorld::start(config, limits, 16, |inner| Arc::new(Hanging { inner, subscription })).await;
    let store = Arc::clone(&world.store);
    let began = Instant::now();
    let took = until_backed_up(&store, &healthy).await;
    // Between two pauses the breaker is open for a probe.
    while hangs && store.subscriptions().await.unwrap().is_empty() && began.elapsed() < 2 * took + MINUTES {
        pause(Duration::from_secs(1)).await;
    }
    (took, store, hung)
}

/// Waits until the subscription has no unfinished run, and returns the time.
async fn until_backed_up(store: &MemoryStore, subscription: &SubscriptionId) -> Duration {
    let began = Instant::now();
    loop {
        pause(Duration::from_secs(1)).await;
        let runs = store.runs(&RunFilter { unfinished: true, ..RunFilter::default() }).await.unwrap();
        if runs.iter().all(|run| run.app.subscription() != subscription) {
            return began.elapsed();
        }
        assert!(began.elapsed() < Duration::from_hours(2), "the healthy subscription is held up");
    }
}

/// The record that a person opened the budgets.
fn reopened(subscription: &SubscriptionId) -> NewRun {
    let mut rng = fastrand::Rng::with_seed(1);
    let (app, at) = (App::new(AppId::unknown()), Timestamp::UNIX_EPOCH);
    let snapshot = PolicySnapshot::new(StorageName::new("none"), "");
    let action = OperatorAction::BudgetsReopened { subscription: subscription.clone() };
    NewRun::operator_action(RunId::new(at, &mut rng), &app, &snapshot, action, "alice".into(), at)
}

#[tokio::test(start_paused = true)]
async fn beside_a_subscription_that_hangs_the_other_keeps_nine_tenths_of_its_pace() {
    let (alone, _, _) = time_to_back_up(false).await;
    let (beside, store, hung) = time_to_back_up(true).await;
    println!("{alone:?} without, {beside:?} with a subscription that hangs");
    assert!(beside.mul_f64(0.9) <= alone, "{alone:?} without, {beside:?} with a subscription that hangs");
    // The breaker closed its budgets, which people see and can open.
    let closed = |status: Vec<holdfast_store::SubscriptionStatus>| {
        status.into_iter().find(|status| status.subscription == hung).unwrap().closed.len()
    };
    assert_eq!(closed(store.subscriptions().await.unwrap()), 3);
    assert_eq!(store.open_budgets(&hung, &reopened(&hung)).await.unwrap(), 3);
    assert_eq!(store.subscriptions().await.unwrap(), []);
}
