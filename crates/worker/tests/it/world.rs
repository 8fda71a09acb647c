//! One app, one run, and everything a step may call.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use holdfast_arm::HttpProbe;
use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, CatalogEntry, Delete, Limits, ManualClock,
    NewBackup, NewRun, NewTask, OperatorAction, PolicyName, PolicySnapshot, RefreshReason, RefreshSas,
    Restore, Run, RunEvent, RunId, StorageName, Task, Timestamp, Trigger, Wakeup,
};
use holdfast_queue::MemoryQueue;
use holdfast_store::{CatalogFilter, Change, Committed, LaneQuota, MemoryStore, RunFilter, Store};
use holdfast_worker::{Environment, Error, Settings, Stepped, step};
use tokio::sync::Notify;

use crate::azure::FakeAzure;
use crate::storage::{FakeSecrets, FakeStorage};
use crate::store::SlowStore;

/// How long a handed-out step may take.
pub const LEASE: Duration = Duration::from_mins(1);

/// Lets others go first, once: a place where a machine may stop.
pub async fn pause() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls by hand, at most so often.
pub fn poll_times<F: Future>(mut future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    let mut context = Context::from_waker(Waker::noop());
    (0..times).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Everything a step may call.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub store: Arc<SlowStore>,
    pub queue: MemoryQueue,
    pub azure: Arc<FakeAzure>,
    pub storage: Arc<FakeStorage>,
    pub env: Environment,
    rng: Mutex<fastrand::Rng>,
}

impl World {
    pub fn new() -> Self {
        let start = Timestamp::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let store = Arc::new(SlowStore { inner: MemoryStore::new(clock.clone()), trouble: Mutex::default() });
        let (azure, storage) = (Arc::new(FakeAzure::default()), Arc::new(FakeStorage::default()));
        let queue = MemoryQueue::default();
        let env = Environment {
            store: store.clone(),
            queue: Arc::new(queue.clone()),
            arm: azure.clone(),
            storage: storage.clone(),
            secrets: Arc::new(FakeSecrets),
            probe: Arc::new(HttpProbe { timeout: Duration::from_secs(1) }),
            clock: clock.clone(),
            bell: Arc::new(Notify::new()),
        };
        Self { clock, store, queue, azure, storage, env, rng: Mutex::new(fastrand::Rng::with_seed(3)) }
    }

    /// Adds a run asked for by hand.
    pub async fn add_run(&self, site: &str) -> RunId {
        self.add_run_under(site, |_| {}).await
    }

    /// The same under other policy snapshot.
    pub async fn add_run_under(&self, site: &str, change: impl FnOnce(&mut PolicySnapshot)) -> RunId {
        let id = AppId::new("sub", "group", site, None);
        let app = App {
            id,
            policy: Some(PolicyName::new("gold")),
            plan: None,
            databases: Vec::new(),
            paused: false,
        };
        let now = self.store.now().await.unwrap();
        let id = RunId::new(now, &mut self.rng.lock().unwrap());
        let mut policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        change(&mut policy_snapshot);
        let new = NewRun::backup(
            id,
            &app,
            &policy_snapshot,
            NewBackup { tick: None, trigger: Trigger::Manual, due_at: now },
            now,
        );
        self.store.add_run(&new).await.unwrap();
        id
    }

    /// Adds a restore of the first backup of `shop` into `site`, asked for by hand.
    pub async fn add_restore(&self, site: &str) -> RunId {
        self.add_restore_of(site, Some(BackupId(0)), "b.zip").await
    }

    /// Adds a restore of the first backup of `shop` into `site` by its blob alone.
    pub async fn add_blob_restore(&self, site: &str) -> RunId {
        let blob = self.backups().await.remove(0).backup.blob;
        self.add_restore_of(site, None, &blob).await
    }

    async fn add_restore_of(&self, site: &str, backup: Option<BackupId>, blob: &str) -> RunId {
        let shop = AppId::new("sub", "group", "shop", None);
        let restore = Restore {
            source: shop,
            backup,
            blob: blob.into(),
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: true,
            ignore_conflicting_host_names: true,
        };
        let id = AppId::new("sub", "group", site, None);
        let app = App { id, policy: None, plan: None, databases: Vec::new(), paused: false };
        let now = self.store.now().await.unwrap();
        let id = RunId::new(now, &mut self.rng.lock().unwrap());
        let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        let asked = NewTask { task: Task::Restore(restore), trigger: Trigger::Manual, actor: None };
        self.store.add_run(&NewRun::task(id, &app, &policy_snapshot, asked, now)).await.unwrap();
        id
    }

    /// Adds a deletion of the first backup of `shop`, asked for by hand.
    pub async fn add_deletion(&self) -> RunId {
        let BackupFacts { id, blob, .. } = self.backups().await.remove(0).backup;
        self.ask_of_shop(Task::Delete(Delete { backup: id, blob, allow_last: true })).await
    }

    /// Adds a refresh of the SAS that Azure keeps with the first backup of `shop`, asked for by hand.
    pub async fn add_refresh(&self) -> RunId {
        let backup = self.backups().await.remove(0).backup.id;
        self.ask_of_shop(Task::RefreshSas(RefreshSas { backup, reason: RefreshReason::Asked, old: None }))
            .await
    }

    async fn ask_of_shop(&self, task: Task) -> RunId {
        let shop = AppId::new("sub", "group", "shop", None);
        let app = App { id: shop, policy: None, plan: None, databases: Vec::new(), paused: false };
        let now = self.store.now().await.unwrap();
        let id = RunId::new(now, &mut self.rng.lock().unwrap());
        let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        self.store
            .add_run(&NewRun::task(
                id,
                &app,
                &policy_snapshot,
                NewTask { task, trigger: Trigger::Manual, actor: None },
                now,
            ))
            .await
            .unwrap();
        id
    }

    /// Somebody holds the first backup of `shop`.
    pub async fn hold(&self) {
        let entry = self.backups().await.remove(0);
        let app = App { id: entry.app, policy: None, plan: None, databases: Vec::new(), paused: false };
        let now = self.store.now().await.unwrap();
        let id = RunId::new(now, &mut self.rng.lock().unwrap());
        let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        let note = OperatorAction::Held { backup: entry.backup.id, reason: "lawsuit".into() };
        self.store
            .add_run(&NewRun::operator_action(id, &app, &policy_snapshot, note, "me".into(), now))
            .await
            .unwrap();
    }

    /// The whole catalog.
    pub async fn backups(&self) -> Vec<CatalogEntry> {
        let all = CatalogFilter { with_removed: true, ..CatalogFilter::default() };
        self.store.catalog(&all).await.unwrap()
    }

    /// The run's intent is committed, as by another worker.
    pub async fn begin(&self, id: RunId) {
        let run = self.store.load(id).await.unwrap().unwrap().run;
        let (number, at) = (run.state.next_attempt(), self.store.now().await.unwrap());
        let attempt = Attempt {
            number,
            name: BackupName::of_attempt(&run.app, run.id, number),
            begun_at: at,
            sas: "f".into(),
            sas_expiry: None,
            restored_before: None,
        };
        let events = vec![RunEvent::AttemptStarted { attempt, sas: None }];
        let (from, run) = (run.version, run.after(&events[0], at).unwrap());
        let committed = self.store.commit(&Change { from, run, events, at }).await.unwrap();
        assert_eq!(committed, Committed::Done(from + 1));
    }

    /// Hands out what is due, as a dispatcher would.
    pub async fn hand_out(&self) -> Vec<Wakeup> {
        self.store.reclaim().await.unwrap();
        let lanes = self.store.due_lanes().await.unwrap().lanes;
        let asks: Vec<LaneQuota> =
            lanes.into_iter().map(|due| LaneQuota { lane: due.lane, most: 100 }).collect();
        let taken = self.store.acquire(&asks, &Limits::default(), LEASE).await.unwrap();
        taken.into_iter().map(|taken| taken.wakeup).collect()
    }

    /// One step.
    pub async fn step(&self, wakeup: Wakeup) -> Result<Stepped, Error> {
        let mut rng = self.rng.lock().unwrap().fork();
        step(&self.env, &Settings::default(), wakeup, &mut rng).await
    }

    /// Moves the clock to when next something is due.
    pub async fn wait(&self) {
        let board = self.store.due_lanes().await.unwrap();
        if board.lanes.is_empty() {
            let next = board.next_at.unwrap();
            self.clock.advance((next - board.now).to_std().unwrap());
        }
    }

    /// Carries every run to its end, with steps that nothing disturbs.
    pub async fn carry_on(&self) {
        for _ in 0..200 {
            if self.runs().await.iter().all(|run| run.state.is_ended()) {
                return;
            }
            self.wait().await;
            for wakeup in self.hand_out().await {
                self.step(wakeup).await.unwrap();
            }
        }
        panic!("the runs do not end: {:?}", self.runs().await);
    }

    /// Carries every run on with steps until so many polls were made in all; then the step at hand is dropped.
    /// False when all ended before.
    pub async fn crash_after(&self, mut polls: usize) -> bool {
        while !self.runs().await.iter().all(|run| run.state.is_ended()) {
            self.wait().await;
            for wakeup in self.hand_out().await {
                let mut step = pin!(self.step(wakeup));
                loop {
                    if polls == 0 {
                        return true;
                    }
                    polls -= 1;
                    if let Some(done) = poll_times(step.as_mut(), 1) {
                        done.unwrap();
                        break;
                    }
                }
            }
        }
        false
    }

    pub async fn runs(&self) -> Vec<Run> {
        self.store.runs(&RunFilter::default()).await.unwrap()
    }

    pub async fn run(&self) -> Run {
        self.runs().await.remove(0)
    }

    /// What happened to a run.
    pub async fn events(&self, run: RunId) -> Vec<RunEvent> {
        self.store.events(run).await.unwrap().into_iter().map(|event| event.event).collect()
    }

    /// The words of what happened to a run.
    pub async fn story(&self, run: RunId) -> Vec<&'static str> {
        self.events(run).await.iter().map(RunEvent::name).collect()
    }
}
