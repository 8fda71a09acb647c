//! Builds and runs the loops of a process: planners, dispatcher and worker, as its role needs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use holdfast_arm::{Arm, CallFacts, CallObserver, HttpProbe};
use holdfast_config::{EngineConfig, Fleet};
use holdfast_control::FleetKeeper;
use holdfast_control::pacing::{NoopWaitObserver, PacedArm, Pacer, PacerParts, Patience};
use holdfast_identity::{Identities, RememberingStorage, arm_clients, section, token_timeout};
use holdfast_model::{Clock, StorageName, SubscriptionId};
use holdfast_queue::Queue;
use holdfast_scheduler::{Dispatcher, FleetSnapshot, MaintenancePlanner, Planner, PlanningContext};
use holdfast_storage::{LiveStorage, Storage, StorageTarget};
use holdfast_store::{GroupCommit, GroupLoad, MemoryStore, Store};
use holdfast_telemetry::remember_secret;
use holdfast_worker::{Bulkheads, Environment, Settings, StepObserver, Tenants, Worker};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::Role;

/// How long steps under way may take after a stop.
///
/// A step that takes longer is dropped: its message returns to the queue, and its run is due again when the lease passes.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a restored app may take to answer a drill's probe; it starts slowly.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// What an engine is built from.
pub struct EngineParts {
    /// The fleet file.
    pub fleet: Fleet,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Observes the calls to ARM.
    pub calls: Arc<dyn CallObserver>,
    /// Observes the steps of runs.
    pub steps: Arc<dyn StepObserver>,
    /// Randomness for ids and pauses.
    pub rng: fastrand::Rng,
}

/// The loops of one process.
pub struct Engine {
    keeper: FleetKeeper,
    fleet: watch::Receiver<Arc<FleetSnapshot>>,
    planner: Planner,
    maintenance: MaintenancePlanner,
    dispatcher: Dispatcher,
    worker: Worker,
    rng: fastrand::Rng,
}

impl Engine {
    /// Builds the loops. Sends nothing.
    pub fn new(parts: EngineParts) -> anyhow::Result<Self> {
        let EngineParts { fleet, store, queue, clock, calls, steps, mut rng } = parts;
        let concurrency = usize::try_from(fleet.engine.concurrency)?;
        let bulkheads = Arc::new(Bulkheads::new(concurrency, tenants(&fleet), Arc::clone(&clock)));
        let calls: Arc<dyn CallObserver> = Arc::new(BothObservers(calls, Arc::clone(&bulkheads) as _));
        let arm: Arc<dyn Arm> = Arc::new(arm_clients(&fleet, &clock, &calls, &mut rng, remember_secret)?);
        let storage = storages(&fleet, &clock, rng.fork())?;
        let secrets = Identities::new(&fleet, &clock, remember_secret)?.access(None)?.secrets;
        let bell = Arc::new(Notify::new());
        let (settings, limits, lease) = (settings(&fleet.engine), fleet.limits.clone(), fleet.engine.lease);
        let env = Environment {
            commits: GroupCommit::new(Arc::clone(&store)),
            loads: GroupLoad::new(Arc::clone(&store)),
            store: Arc::clone(&store),
            queue: Arc::clone(&queue),
            arm,
            storage,
            secrets,
            probe: Arc::new(HttpProbe { timeout: PROBE_TIMEOUT }),
            clock: Arc::clone(&clock),
            bell: Arc::clone(&bell),
        };
        let lister = paced(&fleet, &store, &clock, &calls, &mut rng)?;
        let (keeper, seen) = FleetKeeper::new(fleet, lister, Arc::clone(&store), clock);
        let due_signal = Arc::clone(&bell);
        let mut planning = PlanningContext {
            store: Arc::clone(&store),
            fleet: seen,
            rng: rng.fork(),
            due_signal,
            interval: None,
        };
        Ok(Self {
            keeper,
            fleet: planning.fleet.clone(),
            planner: Planner::new(planning.fork()),
            maintenance: MaintenancePlanner::new(planning),
            dispatcher: Dispatcher::new(store, queue, limits, lease, bell, rng.fork()),
            worker: Worker::with_bulkheads(env, settings, concurrency, bulkheads).observed_by(steps),
            rng,
        })
    }

    /// Runs until `stop`, then finishes the steps under way.
    pub async fn run(self, role: Role, stop: CancellationToken) {
        // The future of all loops is too large for the stack.
        let working = Box::pin(self.loops(role, stop.clone()));
        let timeout = async {
            stop.cancelled().await;
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(STOP_TIMEOUT, never).await;
        };
        tokio::select! {
            biased;
            () = working => {}
            () = timeout => tracing::warn!("some steps did not finish in time; their runs are due again when the leases pass"),
        }
    }

    async fn loops(mut self, role: Role, stop: CancellationToken) {
        let worker = run_if(role.works(), self.worker.run(self.rng.fork(), stop.clone()));
        let dispatcher = run_if(role.dispatches(), self.dispatcher.run(stop.clone()));
        let planning = async {
            // Planners wait for the first apps, not for a subscription that does not answer.
            let planners = async {
                let _ = self.fleet.changed().await;
                tokio::join!(self.planner.run(stop.clone()), self.maintenance.run(stop.clone()));
            };
            tokio::join!(keep(self.keeper, stop.clone()), planners);
        };
        let planner = async {
            tokio::select! {
                biased;
                () = run_if(role.plans(), planning) => {}
                () = stop.cancelled() => {}
            }
        };
        tokio::join!(worker, dispatcher, planner);
    }
}

/// Opens the storages, each with the credential that it names or the fleet's default. Sends nothing.
pub fn storages(
    fleet: &Fleet,
    clock: &Arc<dyn Clock>,
    rng: fastrand::Rng,
) -> anyhow::Result<Arc<dyn Storage>> {
    let identities = Identities::new(fleet, clock, remember_secret)?;
    let open = |(name, target): (&StorageName, &StorageTarget)| {
        Ok((name.clone(), (target.clone(), identities.access(target.azure.as_deref())?)))
    };
    let targets = fleet.storages.iter().map(open).collect::<anyhow::Result<_>>()?;
    let storage = LiveStorage::new(targets, clock, rng).context("failed to prepare the storages")?;
    Ok(Arc::new(RememberingStorage { storage, remember: remember_secret }))
}

/// The client of the fleet's lists, which draws on the shared budgets beside the runs. Sends nothing.
pub fn paced(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    calls: &Arc<dyn CallObserver>,
    rng: &mut fastrand::Rng,
) -> anyhow::Result<Arc<dyn Arm>> {
    let pacer = Arc::new(Pacer::new(PacerParts {
        shared: Some(Arc::clone(store)),
        local: Arc::new(MemoryStore::new(Arc::clone(clock))),
        limits: fleet.limits.clone(),
        observer: Arc::new(NoopWaitObserver),
    }));
    let pages = Arc::clone(&pacer) as Arc<dyn CallObserver>;
    let observer: Arc<dyn CallObserver> = Arc::new(BothObservers(Arc::clone(calls), pages));
    let clouds = arm_clients(fleet, clock, &observer, rng, remember_secret)?;
    Ok(Arc::new(PacedArm::new(Arc::new(clouds), pacer, Patience::Loop)))
}

/// The tenant of each subscription: each section `[azure.NAME]` is one.
fn tenants(fleet: &Fleet) -> Tenants {
    let mut tenants = Tenants::default();
    for cloud in &fleet.clouds {
        let of = |subscription: &SubscriptionId| (subscription.clone(), section(cloud));
        tenants.by_subscription.extend(cloud.subscriptions.iter().map(of));
        if cloud.subscriptions.is_empty() {
            tenants.otherwise = section(cloud);
        }
    }
    tenants
}

/// Reports each call to two observers.
struct BothObservers(Arc<dyn CallObserver>, Arc<dyn CallObserver>);

impl CallObserver for BothObservers {
    fn answered(&self, call: &CallFacts<'_>) {
        self.0.answered(call);
        self.1.answered(call);
    }

    fn no_token(&self, subscription: &SubscriptionId, elapsed: Duration) {
        self.0.no_token(subscription, elapsed);
        self.1.no_token(subscription, elapsed);
    }
}

/// Refreshes the fleet whenever a part of it is due, until `stop`.
async fn keep(mut keeper: FleetKeeper, stop: CancellationToken) {
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = keeper.refresh() => {}
        }
        if tokio::time::timeout(keeper.pause(), stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

async fn run_if(wanted: bool, work: impl Future<Output = ()>) {
    if wanted {
        work.await;
    }
}

/// A POST may wait for a token, and after a 401 for another token and a second call.
fn settings(engine: &EngineConfig) -> Settings {
    Settings {
        post_within: engine.call_timeout.min(Duration::from_secs(20)),
        call_timeout: 2 * (engine.call_timeout + token_timeout(engine)),
        settle: engine.settle,
    }
}
