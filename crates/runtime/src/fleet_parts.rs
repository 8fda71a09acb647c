//! What an engine works with under one fleet: clients of Azure, storages, a dispatcher and a worker.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use holdfast_arm::{Arm, CallFacts, CallObserver, HttpProbe};
use holdfast_config::{EngineConfig, Fleet};
use holdfast_control::pacing::{NoopWaitObserver, PacedArm, Pacer, PacerParts, Patience};
use holdfast_identity::{Identities, RememberingStorage, arm_clients, section, token_timeout};
use holdfast_model::{Clock, StorageName, SubscriptionId};
use holdfast_queue::Queue;
use holdfast_scheduler::Dispatcher;
use holdfast_storage::{LiveStorage, Storage, StorageTarget};
use holdfast_store::{GroupCommit, GroupLoad, MemoryStore, Store};
use holdfast_telemetry::remember_secret;
use holdfast_worker::{Bulkheads, Environment, Settings, StepObserver, Tenants, Worker};
use tokio::sync::Notify;

/// How long a restored app may take to answer a drill's probe; it starts slowly.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// What every fleet of an engine is wired with.
#[derive(Clone)]
pub(crate) struct Wiring {
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    pub clock: Arc<dyn Clock>,
    pub calls: Arc<dyn CallObserver>,
    pub steps: Arc<dyn StepObserver>,
    pub bell: Arc<Notify>,
}

/// What an engine works with under one fleet. Building it reads the secrets, and sends nothing.
pub struct FleetParts {
    pub(crate) fleet: Fleet,
    pub(crate) lister: Arc<dyn Arm>,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) worker: Worker,
}

impl Wiring {
    /// Builds what works under this fleet. Sends nothing.
    pub fn fleet_parts(&self, fleet: Fleet, rng: &mut fastrand::Rng) -> anyhow::Result<FleetParts> {
        let Self { store, queue, clock, calls, steps, bell } = self;
        let concurrency = usize::try_from(fleet.engine.concurrency)?;
        let bulkheads = Arc::new(Bulkheads::new(concurrency, tenants(&fleet), Arc::clone(clock)));
        let calls: Arc<dyn CallObserver> =
            Arc::new(BothObservers(Arc::clone(calls), Arc::clone(&bulkheads) as _));
        let arm: Arc<dyn Arm> = Arc::new(arm_clients(&fleet, clock, &calls, rng, remember_secret)?);
        let storage = storages(&fleet, clock, rng.fork())?;
        let secrets = Identities::new(&fleet, clock, remember_secret)?.access(None)?.secrets;
        let (settings, limits, lease) = (settings(&fleet.engine), fleet.limits.clone(), fleet.engine.lease);
        let env = Environment {
            commits: GroupCommit::new(Arc::clone(store)),
            loads: GroupLoad::new(Arc::clone(store)),
            store: Arc::clone(store),
            queue: Arc::clone(queue),
            arm,
            storage,
            secrets,
            probe: Arc::new(HttpProbe { timeout: PROBE_TIMEOUT }),
            clock: Arc::clone(clock),
            bell: Arc::clone(bell),
        };
        let lister = paced(&fleet, store, clock, &calls, rng)?;
        let (store, queue, bell) = (Arc::clone(store), Arc::clone(queue), Arc::clone(bell));
        let worker = Worker::with_bulkheads(env, settings, concurrency, bulkheads);
        Ok(FleetParts {
            fleet,
            lister,
            dispatcher: Dispatcher::new(store, queue, limits, lease, bell, rng.fork()),
            worker: worker.observed_by(Arc::clone(steps)),
        })
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

/// A POST may wait for a token, and after a 401 for another token and a second call.
fn settings(engine: &EngineConfig) -> Settings {
    Settings {
        post_within: engine.call_timeout.min(Duration::from_secs(20)),
        call_timeout: 2 * (engine.call_timeout + token_timeout(engine)),
        settle: engine.settle,
    }
}
