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

use crate::faults::{FaultCounts, FaultInjector, FaultRates, Faulty, pause};
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
    pub operator_fleet: Arc<FleetSnapshot>,
    pub rates: FaultRates,
    pub faults_on: Arc<std::sync::atomic::AtomicBool>,
    pub fault_counts: Arc<FaultCounts>,
}

/// The longest between two looks of a loop. Production looks each second; here that would only cost time.
const POLL_INTERVAL: Duration = Duration::from_secs(20);

/// Production looks each hour; five hours of trouble would see too little of it.
const MAINTENANCE_INTERVAL: Duration = Duration::from_mins(10);

/// Runs the process, and again after each crash, until `stop`.
pub(crate) async fn run_process(parts: Parts, mut rng: fastrand::Rng, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let injector = FaultInjector::new(
            parts.rates,
            rng.fork(),
            Arc::clone(&parts.faults_on),
            Arc::clone(&parts.fault_counts),
        );
        let life = run_until_crash(parts.clone(), Arc::clone(&injector), rng.fork(), stop.clone());
        tokio::select! {
            biased;
            () = injector.crashed.cancelled() => {}
            () = life => {}
        }
        let down = Duration::from_secs(rng.u64(0..120));
        if !stop.is_cancelled() {
            pause(down).await;
        }
    }
}

/// One life: when the future is dropped, everything in it stops where it stands.
async fn run_until_crash(
    parts: Parts,
    injector: Arc<FaultInjector>,
    mut rng: fastrand::Rng,
    stop: CancellationToken,
) {
    let faulty_store: Arc<dyn Store> =
        Arc::new(Faulty { inner: parts.env.store, injector: Arc::clone(&injector) });
    let faulty_queue: Arc<dyn Queue> =
        Arc::new(Faulty { inner: parts.env.queue, injector: Arc::clone(&injector) });
    let bell = Arc::new(Notify::new());
    let env = Environment {
        store: Arc::clone(&faulty_store),
        queue: Arc::clone(&faulty_queue),
        arm: Arc::new(Faulty { inner: parts.env.arm, injector: Arc::clone(&injector) }),
        storage: Arc::new(Faulty { inner: parts.env.storage, injector }),
        secrets: parts.env.secrets,
        probe: parts.env.probe,
        clock: parts.env.clock,
        bell: Arc::clone(&bell),
    };
    let operator = Operator {
        store: Arc::clone(&faulty_store),
        arm: Arc::clone(&env.arm),
        storage: Arc::clone(&env.storage),
        clock: Arc::clone(&env.clock),
        fleet: parts.operator_fleet,
        faults_on: parts.faults_on,
        rng: rng.fork(),
    };
    let (store, due_signal) = (Arc::clone(&faulty_store), Arc::clone(&bell));
    let interval = Some(POLL_INTERVAL);
    let mut planning = PlanningContext { store, fleet: parts.fleet, rng: rng.fork(), due_signal, interval };
    let maintenance =
        MaintenancePlanner::new(PlanningContext { interval: Some(MAINTENANCE_INTERVAL), ..planning.fork() });
    let planner = Planner::new(planning);
    let dispatcher = Dispatcher::new(faulty_store, faulty_queue, parts.limits, parts.lease, bell);
    let worker = Worker::new(env, parts.settings, 8);
    tokio::join!(
        planner.run(stop.clone()),
        dispatcher.with_interval(POLL_INTERVAL).run(stop.clone()),
        maintenance.run(stop.clone()),
        operator.run(stop.clone()),
        worker.run(rng, stop),
    );
}
