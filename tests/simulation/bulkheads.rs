//! Two subscriptions with runs due at once, one of which accepts requests and never answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_arm::{
    ArmClient, PUBLIC_ENDPOINT, Settings as ArmSettings, Token, TokenError, TokenSource, Transport,
    TransportError, TransportRequest, TransportResponse,
};
use holdfast_model::{
    App, AppId, Limits, NewBackup, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName,
    SubscriptionId, Timestamp, Trigger,
};
use holdfast_queue::MemoryQueue;
use holdfast_scheduler::Dispatcher;
use holdfast_simulator::{Azure, Config, Fleet, InProcess, Pace, StorageAccount};
use holdfast_store::{GroupCommit, MemoryStore, RunFilter, Store};
use holdfast_worker::{Bulkheads, Environment, Settings, Tenants, Worker};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::doubles::{SimClock, SimProbe, SimSecrets, SimStorage};
use crate::faults::pause;
use crate::simulated_world::start;

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

#[derive(Debug)]
struct AnyToken;

#[async_trait]
impl TokenSource for AnyToken {
    async fn token(&self) -> Result<Token, TokenError> {
        Ok(Token { secret: String::from("t").into(), expires_on: Timestamp::MAX_UTC })
    }
}

/// How long the backups of one subscription take while the other one hangs, or does not; and the store.
async fn time_to_back_up(hangs: bool) -> (Duration, Arc<MemoryStore>, SubscriptionId) {
    let fleet = Fleet::generate(APPS, 7);
    let mut subscriptions = fleet.subscriptions().into_iter();
    let (hung, healthy) = (subscriptions.next().unwrap(), subscriptions.next().unwrap());
    let account = fleet.accounts[0].clone();
    let apps: Vec<App> = fleet
        .sites
        .iter()
        .map(|site| App { plan: site.site.plan.clone(), ..App::new(site.site.id.clone()) })
        .collect();
    let mut config = Config::new(fleet);
    config.pace = Pace { backup_median: Duration::from_secs(90), ..Pace::default() };
    let azure = Arc::new(Mutex::new(Azure::new(config, 7).unwrap()));
    let clock = Arc::new(SimClock::new(start()));
    let in_process = InProcess::new(Arc::clone(&azure), Arc::clone(&clock) as _);
    let bulkheads = Arc::new(Bulkheads::new(16, Tenants::default(), Arc::clone(&clock) as _));
    let subscription = hangs.then(|| hung.as_str().to_owned());
    let arm = ArmClient::new(
        ArmSettings::new(PUBLIC_ENDPOINT.parse().unwrap()),
        Arc::new(Hanging { inner: in_process.clone(), subscription }),
        Arc::new(AnyToken),
        Arc::clone(&clock) as _,
        Arc::clone(&bulkheads) as _,
        fastrand::Rng::with_seed(7),
    );
    let storage = storage(in_process, &account, Arc::clone(&clock));
    let (store, bell) = (Arc::new(MemoryStore::new(Arc::clone(&clock) as _)), Arc::new(Notify::new()));
    let queue = Arc::new(MemoryQueue::default());
    let env = Environment {
        commits: GroupCommit::new(Arc::clone(&store) as _),
        store: Arc::clone(&store) as _,
        queue: Arc::clone(&queue) as _,
        arm: Arc::new(arm),
        storage: Arc::new(storage),
        secrets: Arc::new(SimSecrets { connection: "".into() }),
        probe: Arc::new(SimProbe { azure, clock: Arc::clone(&clock) }),
        clock: clock as _,
        bell: Arc::clone(&bell),
    };
    store.add_runs(&due_backups(&apps, &account.name)).await.unwrap();
    let limits = Limits { outstanding: 32, ..Limits::default() };
    let dispatcher = Dispatcher::new(
        Arc::clone(&store) as _,
        queue,
        limits,
        Duration::from_mins(3),
        bell,
        fastrand::Rng::with_seed(7),
    );
    let stop = CancellationToken::new();
    let worker = Worker::with_bulkheads(env, Settings::default(), 16, bulkheads);
    let loops = [
        tokio::spawn(dispatcher.run(stop.clone())),
        tokio::spawn(worker.run(fastrand::Rng::with_seed(7), stop.clone())),
    ];
    let began = Instant::now();
    let took = until_backed_up(&store, &healthy).await;
    // Between two pauses the breaker is open for a probe.
    while hangs && store.subscriptions().await.unwrap().is_empty() && began.elapsed() < 2 * took + MINUTES {
        pause(Duration::from_secs(1)).await;
    }
    loops.iter().for_each(tokio::task::JoinHandle::abort);
    (took, store, hung)
}

/// A storage that always answers.
fn storage(azure: InProcess, account: &StorageAccount, clock: Arc<SimClock>) -> SimStorage {
    let container = format!("https://{}.blob.core.windows.net/{}", account.name, account.containers[0]);
    SimStorage {
        azure,
        container: container.parse().unwrap(),
        key: account.key.clone(),
        lifetime: Duration::from_hours(48),
        clock,
        current_sas: Mutex::default(),
        unreachable: Mutex::new((0.0, fastrand::Rng::with_seed(7))),
        signatures: Arc::default(),
    }
}

/// A backup of each app, due at the start.
fn due_backups(apps: &[App], account: &str) -> Vec<NewRun> {
    let (mut rng, at) = (fastrand::Rng::with_seed(7), start());
    let snapshot = PolicySnapshot::new(StorageName::new("sim"), account);
    let backup = |app| {
        let backup = NewBackup { tick: None, trigger: Trigger::Schedule, due_at: at };
        NewRun::backup(RunId::new(at, &mut rng), app, &snapshot, backup, at)
    };
    apps.iter().map(backup).collect()
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
