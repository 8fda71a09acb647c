//! A process: a planner, a dispatcher and a worker that share nothing with other processes but the store and the
//! queue. It crashes, and comes back.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::Limits;
use holdfast_queue::Queue;
use holdfast_scheduler::{Dispatcher, FleetSnapshot, MaintenancePlanner, Planner, PlanningContext};
use holdfast_store::Store;
use holdfast_worker::{Environment, Settings, Worker};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::chaos::{Chaos, Counts, Rates, Shaky, pause};
use crate::operator::Operator;

/// What a process is made of.
#[derive(Clone)]
pub(crate) struct Parts {
    pub env: Environment,
    pub settings: Settings,
    pub limits: Limits,
    pub lease: Duration,
    pub fleet: watch::Receiver<Arc<FleetSnapshot>>,
    /// The fleet as the person at the command line knows it.
    pub asked_about: Arc<FleetSnapshot>,
    pub rates: Rates,
    pub on: Arc<std::sync::atomic::AtomicBool>,
    pub counts: Arc<Counts>,
}

/// The longest between two looks of a loop. Production looks each second; here that would only cost time.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// Production looks each hour; five hours of trouble would see too little of it.
const MAINTENANCE_INTERVAL: Duration = Duration::from_mins(10);

/// Runs the process, and again after each crash, until `stop`.
pub(crate) async fn live(parts: Parts, mut rng: fastrand::Rng, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let chaos = Chaos::new(parts.rates, rng.fork(), Arc::clone(&parts.on), Arc::clone(&parts.counts));
        let life = once(parts.clone(), Arc::clone(&chaos), rng.fork(), stop.clone());
        tokio::select! {
            biased;
            () = chaos.crashed.cancelled() => {}
            () = life => {}
        }
        let down = Duration::from_secs(rng.u64(0..120));
        if !stop.is_cancelled() {
            pause(down).await;
        }
    }
}

/// One life: when the future is dropped, everything in it stops where it stands.
async fn once(parts: Parts, chaos: Arc<Chaos>, mut rng: fastrand::Rng, stop: CancellationToken) {
    let shaky_store: Arc<dyn Store> = Arc::new(Shaky { inner: parts.env.store, chaos: Arc::clone(&chaos) });
    let shaky_queue: Arc<dyn Queue> = Arc::new(Shaky { inner: parts.env.queue, chaos: Arc::clone(&chaos) });
    let bell = Arc::new(Notify::new());
    let env = Environment {
        store: Arc::clone(&shaky_store),
        queue: Arc::clone(&shaky_queue),
        arm: Arc::new(Shaky { inner: parts.env.arm, chaos: Arc::clone(&chaos) }),
        storage: Arc::new(Shaky { inner: parts.env.storage, chaos }),
        secrets: parts.env.secrets,
        probe: parts.env.probe,
        clock: parts.env.clock,
        bell: Arc::clone(&bell),
    };
    let operator = Operator {
        store: Arc::clone(&shaky_store),
        arm: Arc::clone(&env.arm),
        storage: Arc::clone(&env.storage),
        clock: Arc::clone(&env.clock),
        fleet: parts.asked_about,
        on: parts.on,
        rng: rng.fork(),
    };
    let (store, due_signal) = (Arc::clone(&shaky_store), Arc::clone(&bell));
    let interval = Some(LOOK_EVERY);
    let mut planning = PlanningContext { store, fleet: parts.fleet, rng: rng.fork(), due_signal, interval };
    let maintenance =
        MaintenancePlanner::new(PlanningContext { interval: Some(MAINTENANCE_INTERVAL), ..planning.fork() });
    let planner = Planner::new(planning);
    let dispatcher = Dispatcher::new(shaky_store, shaky_queue, parts.limits, parts.lease, bell);
    let worker = Worker::new(env, parts.settings, 8);
    tokio::join!(
        planner.run(stop.clone()),
        dispatcher.with_interval(LOOK_EVERY).run(stop.clone()),
        maintenance.run(stop.clone()),
        operator.run(stop.clone()),
        worker.run(rng, stop),
    );
}
