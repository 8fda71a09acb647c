//! The whole of Holdfast in one process: the store, the queue, a planner, a dispatcher and a worker, wired together.

mod calls;
mod clock;
mod fleet;

pub use calls::ArmCalls;
pub use clock::OffsetClock;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use holdfast_arm::{Arm, Observer};
use holdfast_model::Clock;
use holdfast_queue::MemoryQueue;
use holdfast_scheduler::{Dispatcher, Planner};
use holdfast_storage::LiveStorage;
use holdfast_store::Store;
use holdfast_worker::{Seams, Settings, Worker};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clouds::{clouds, token_timeout};
use crate::config::{EngineConfig, Fleet};
use fleet::FleetKeeper;

/// What an engine is made from.
pub struct Parts {
    /// The fleet file.
    pub fleet: Fleet,
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Counts the calls to Azure.
    pub calls: Arc<dyn Observer>,
    /// For ids and for pauses.
    pub rng: fastrand::Rng,
}

/// The loops of one process.
pub struct Engine {
    keeper: FleetKeeper,
    planner: Planner,
    dispatcher: Dispatcher,
    worker: Worker,
    rng: fastrand::Rng,
}

/// What an engine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Plans what is due and carries it out.
    PlanAndWork,
    /// Carries out what is planned, and plans nothing.
    WorkOnly,
}

impl Engine {
    /// Wires everything together. Nothing is sent yet.
    pub fn new(parts: Parts) -> anyhow::Result<Self> {
        let Parts { fleet, store, clock, calls, mut rng } = parts;
        let arm: Arc<dyn Arm> = Arc::new(clouds(&fleet, &clock, &calls, &mut rng)?);
        let storage = LiveStorage::new(fleet.storages.clone(), Arc::clone(&clock), rng.fork())
            .context("failed to prepare the storages")?;
        let queue = Arc::new(MemoryQueue::default());
        let bell = Arc::new(Notify::new());
        let (settings, concurrency) = (settings(&fleet.engine), fleet.engine.concurrency);
        let (limits, lease) = (fleet.limits.clone(), fleet.engine.lease);
        let seams = Seams {
            store: Arc::clone(&store),
            queue: Arc::clone(&queue) as _,
            arm: Arc::clone(&arm),
            storage: Arc::new(storage),
            clock,
            bell: Arc::clone(&bell),
        };
        let (keeper, seen) = FleetKeeper::new(fleet, arm, Arc::clone(&store));
        Ok(Self {
            keeper,
            planner: Planner::new(Arc::clone(&store), seen, rng.fork(), Arc::clone(&bell)),
            dispatcher: Dispatcher::new(store, queue, limits, lease, bell),
            worker: Worker::new(seams, settings, usize::try_from(concurrency)?),
            rng,
        })
    }

    /// Works until `stop`, then finishes the steps in hand.
    pub async fn run(mut self, duty: Duty, stop: CancellationToken) {
        let worker = self.worker.run(self.rng.fork(), stop.clone());
        let dispatcher = self.dispatcher.run(stop.clone());
        let planning = async {
            if duty == Duty::PlanAndWork {
                // The planner waits for the first look at the fleet: a fleet that is half known would lose cursors.
                self.keeper.look().await;
                tokio::join!(self.keeper.run(stop.clone()), self.planner.run(stop.clone()));
            }
        };
        tokio::join!(worker, dispatcher, stop_or(planning, &stop));
    }
}

async fn stop_or(work: impl Future<Output = ()>, stop: &CancellationToken) {
    tokio::select! {
        biased;
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// A POST may wait for a token first, and after a 401 for another one and a second call.
fn settings(engine: &EngineConfig) -> Settings {
    Settings {
        post_within: engine.call_timeout.min(Duration::from_secs(20)),
        call_timeout: 2 * (engine.call_timeout + token_timeout(engine)),
        settle: engine.settle,
    }
}
