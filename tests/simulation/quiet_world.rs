//! A world without faults: the real dispatcher and worker on the simulated Azure, under paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_arm::{
    ArmClient, PUBLIC_ENDPOINT, Settings as ArmSettings, Token, TokenError, TokenSource, Transport,
};
use holdfast_model::{
    App, Limits, NewBackup, NewRun, PolicySnapshot, RunId, StorageName, Timestamp, Trigger,
};
use holdfast_queue::MemoryQueue;
use holdfast_scheduler::Dispatcher;
use holdfast_simulator::{Azure, Config, InProcess, StorageAccount};
use holdfast_store::{GroupCommit, GroupLoad, MemoryStore, Store};
use holdfast_worker::{Bulkheads, Environment, Settings, Tenants, Worker};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::doubles::{SimClock, SimProbe, SimSecrets, SimStorage};
use crate::simulated_world::start;

/// The processes, and what they work on.
pub(crate) struct QuietWorld {
    pub azure: Arc<Mutex<Azure>>,
    pub store: Arc<MemoryStore>,
    loops: [JoinHandle<()>; 2],
}

impl Drop for QuietWorld {
    fn drop(&mut self) {
        self.loops.iter().for_each(JoinHandle::abort);
    }
}

impl QuietWorld {
    /// Starts one dispatcher and one worker with `concurrency` steps at once. A backup of each app is due. `transport` is between
    /// the worker and Azure.
    pub async fn start(
        config: Config,
        limits: Limits,
        concurrency: usize,
        transport: impl FnOnce(InProcess) -> Arc<dyn Transport>,
    ) -> Self {
        let account = config.fleet.accounts[0].clone();
        let sites = config.fleet.sites.iter();
        let apps: Vec<App> = sites
            .map(|site| App { plan: site.site.plan.clone(), ..App::new(site.site.id.clone()) })
            .collect();
        let azure = Arc::new(Mutex::new(Azure::new(config, 7).unwrap()));
        let clock = Arc::new(SimClock::new(start()));
        let in_process = InProcess::new(Arc::clone(&azure), Arc::clone(&clock) as _);
        let bulkheads = Arc::new(Bulkheads::new(concurrency, Tenants::default(), Arc::clone(&clock) as _));
        let arm = client(transport(in_process.clone()), &clock, &bulkheads);
        let storage = storage(in_process, &account, Arc::clone(&clock));
        let (store, bell) = (Arc::new(MemoryStore::new(Arc::clone(&clock) as _)), Arc::new(Notify::new()));
        let queue = Arc::new(MemoryQueue::default());
        let env = Environment {
            commits: GroupCommit::new(Arc::clone(&store) as _),
            loads: GroupLoad::new(Arc::clone(&store) as _),
            store: Arc::clone(&store) as _,
            queue: Arc::clone(&queue) as _,
            arm: Arc::new(arm),
            storage: Arc::new(storage),
            secrets: Arc::new(SimSecrets { connection: "".into() }),
            probe: Arc::new(SimProbe { azure: Arc::clone(&azure), clock: Arc::clone(&clock) }),
            clock: clock as _,
            bell: Arc::clone(&bell),
        };
        store.add_runs(&due_backups(&apps, &account.name)).await.unwrap();
        let lease = Duration::from_mins(3);
        let rng = fastrand::Rng::with_seed(7);
        let dispatcher = Dispatcher::new(Arc::clone(&store) as _, queue, limits, lease, bell, rng.clone());
        let stop = CancellationToken::new();
        let worker = Worker::with_bulkheads(env, Settings::default(), concurrency, bulkheads);
        let loops = [tokio::spawn(dispatcher.run(stop.clone())), tokio::spawn(worker.run(rng, stop.clone()))];
        Self { azure, store, loops }
    }
}

fn client(transport: Arc<dyn Transport>, clock: &Arc<SimClock>, bulkheads: &Arc<Bulkheads>) -> ArmClient {
    ArmClient::new(
        ArmSettings::new(PUBLIC_ENDPOINT.parse().unwrap()),
        transport,
        Arc::new(AnyToken),
        Arc::clone(clock) as _,
        Arc::clone(bulkheads) as _,
        fastrand::Rng::with_seed(7),
    )
}

#[derive(Debug)]
struct AnyToken;

#[async_trait]
impl TokenSource for AnyToken {
    async fn token(&self) -> Result<Token, TokenError> {
        Ok(Token { secret: String::from("t").into(), expires_on: Timestamp::MAX_UTC })
    }
}

/// A storage that always answers.
pub(crate) fn storage(azure: InProcess, account: &StorageAccount, clock: Arc<SimClock>) -> SimStorage {
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
