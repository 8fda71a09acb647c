//! A process: a planner, a dispatcher, a worker and an operator, restarted after each crash.
//!
//! Processes share only the store and the queue.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::Limits;
use holdfast_queue::Queue;
use holdfast_scheduler::{Dispatcher, FleetSnapshot, MaintenancePlanner, Planner, PlanningContext};
use holdfast_store::{GroupCommit, GroupLoad, Store};
use holdfast_worker::{Environment, Settings, Worker};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::faults::{FaultCounts, FaultInjector, FaultRates, Faulty, pause};
use crate::operator::Operator;

/// The inputs of a process.
#[derive(Clone)]
pub(crate) struct Parts {
    pub env: Environment,
    pub settings: Settings,
    pub limits: Limits,
    pub lease: Duration,
    pub fleet: watch::Receiver<Arc<FleetSnapshot>>,
    /// The fleet that the operator uses. It does not change when the faults stop.
    pub operator_fleet: Arc<FleetSnapshot>,
    pub rates: FaultRates,
    /// Time between the catalog checks of an app.
    pub check_every: Duration,
    pub faults_on: Arc<std::sync::atomic::AtomicBool>,
    pub fault_counts: Arc<FaultCounts>,
}

/// The longest pause between two polls of a loop. Production polls each second; here that would only cost time.
const POLL_INTERVAL: Duration = Duration::from_secs(20);

/// The interval of maintenance. Production's one hour would leave too few passes within the five hours of faults.
const MAINTENANCE_INTERVAL: Duration = Duration::from_mins(10);

/// Runs the process until `stop`, and restarts it after each crash.
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

/// Runs the process once. Dropping the future stops everything in it, like a crash.
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
        commits: GroupCommit::new(Arc::clone(&faulty_store)),
        loads: GroupLoad::new(Arc::clone(&faulty_store)),
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
        MaintenancePlanner::new(PlanningContext { interval: Some(MAINTENANCE_INTERVAL), ..planning.fork() })
            .with_checks_every(parts.check_every);
    let planner = Planner::new(planning);
    let dispatcher_rng = rng.clone().fork();
    let dispatcher =
        Dispatcher::new(faulty_store, faulty_queue, parts.limits, parts.lease, bell, dispatcher_rng);
    let worker = Worker::new(env, parts.settings, 8);
    tokio::join!(
        planner.run(stop.clone()),
        dispatcher.with_interval(POLL_INTERVAL).run(stop.clone()),
        maintenance.run(stop.clone()),
        operator.run(stop.clone()),
        worker.run(rng, stop),
    );
}
