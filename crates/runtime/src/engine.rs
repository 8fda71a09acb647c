//! Builds and runs the loops of a process: planners, dispatcher and worker, as its role needs.

use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::CallObserver;
use holdfast_config::Fleet;
use holdfast_control::FleetKeeper;
use holdfast_model::Clock;
use holdfast_queue::Queue;
use holdfast_scheduler::{FleetSnapshot, MaintenancePlanner, Planner, PlanningContext};
use holdfast_store::Store;
use holdfast_worker::StepObserver;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::Role;
use crate::fleet_parts::{FleetParts, Wiring};
use crate::work::{Work, keep, keep_working};

/// How long steps under way may take after a stop.
///
/// A step that takes longer is dropped: its message returns to the queue, and its run is due again when the lease passes.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// What an engine is built from.
pub struct EngineParts {
    /// The fleet.
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
    wiring: Wiring,
    keeper: FleetKeeper,
    fleet: watch::Receiver<Arc<FleetSnapshot>>,
    planner: Planner,
    maintenance: MaintenancePlanner,
    work: Work,
    changes: (mpsc::UnboundedSender<FleetParts>, mpsc::UnboundedReceiver<FleetParts>),
    rng: fastrand::Rng,
}

/// Brings an engine under another fleet.
pub struct FleetChanger {
    wiring: Wiring,
    rng: fastrand::Rng,
    /// Takes what the engine works with from then on. What is under way ends under the old fleet.
    pub(crate) changes: mpsc::UnboundedSender<FleetParts>,
}

impl FleetChanger {
    /// Builds what the engine works with under this fleet. Changes nothing.
    pub(crate) fn prepare(&mut self, fleet: Fleet) -> anyhow::Result<FleetParts> {
        self.wiring.fleet_parts(fleet, &mut self.rng)
    }
}

impl Engine {
    /// Builds the loops. Sends nothing.
    pub fn new(parts: EngineParts) -> anyhow::Result<Self> {
        let EngineParts { fleet, store, queue, clock, calls, steps, mut rng } = parts;
        let wiring = Wiring { store, queue, clock, calls, steps, bell: Arc::default() };
        let FleetParts { fleet, lister, dispatcher, worker } = wiring.fleet_parts(fleet, &mut rng)?;
        let (store, clock) = (Arc::clone(&wiring.store), Arc::clone(&wiring.clock));
        let (keeper, seen) = FleetKeeper::new(fleet, lister, Arc::clone(&store), clock);
        let due_signal = Arc::clone(&wiring.bell);
        let mut planning =
            PlanningContext { store, fleet: seen, rng: rng.fork(), due_signal, interval: None };
        Ok(Self {
            keeper,
            fleet: planning.fleet.clone(),
            planner: Planner::new(planning.fork()),
            maintenance: MaintenancePlanner::new(planning),
            work: Work { dispatcher, worker },
            changes: mpsc::unbounded_channel(),
            wiring,
            rng,
        })
    }

    /// What brings it under another fleet while it runs.
    pub fn changer(&mut self) -> FleetChanger {
        let (wiring, rng) = (self.wiring.clone(), self.rng.fork());
        FleetChanger { wiring, changes: self.changes.0.clone(), rng }
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
        let (fleets, changed) = mpsc::unbounded_channel();
        let working = keep_working(self.work, (self.changes.1, fleets), (role, self.rng), stop.clone());
        let planning = async {
            // Planners wait for the first apps, not for a subscription that does not answer.
            let planners = async {
                let _ = self.fleet.changed().await;
                tokio::join!(self.planner.run(stop.clone()), self.maintenance.run(stop.clone()));
            };
            tokio::join!(keep(self.keeper, changed, stop.clone()), planners);
        };
        let planner = async {
            tokio::select! {
                biased;
                () = async { if role.plans() { planning.await } } => {}
                () = stop.cancelled() => {}
            }
        };
        tokio::join!(working, planner);
    }
}
