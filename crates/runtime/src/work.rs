//! The loops that are bound to a fleet, and how another fleet takes its place.

use std::sync::Arc;

use holdfast_arm::Arm;
use holdfast_config::Fleet;
use holdfast_control::FleetKeeper;
use holdfast_scheduler::Dispatcher;
use holdfast_worker::Worker;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::Role;
use crate::fleet_parts::FleetParts;

/// A fleet, and the client of its lists.
pub type Listed = (Fleet, Arc<dyn Arm>);

/// The loops that dispatch and execute under one fleet.
pub struct Work {
    pub dispatcher: Dispatcher,
    pub worker: Worker,
}

impl Work {
    /// Runs until `stop`, then finishes the steps under way.
    async fn run(self, role: Role, rng: fastrand::Rng, stop: CancellationToken) {
        let worker = run_if(role.works(), self.worker.run(rng, stop.clone()));
        let dispatcher = run_if(role.dispatches(), self.dispatcher.run(stop));
        tokio::join!(worker, dispatcher);
    }
}

/// Dispatches and executes until `stop`, and goes on under each fleet that comes.
///
/// The loops of the new fleet start at once. Those of the old one take nothing new, and finish the steps under way beside them, as
/// another process would.
pub async fn keep_working(
    first: Work,
    (mut parts, fleets): (UnboundedReceiver<FleetParts>, UnboundedSender<Listed>),
    (role, mut rng): (Role, fastrand::Rng),
    stop: CancellationToken,
) {
    let mut working = JoinSet::new();
    let mut until = stop.child_token();
    working.spawn(first.run(role, rng.fork(), until.clone()));
    while !stop.is_cancelled() {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Some(FleetParts { fleet, lister, dispatcher, worker }) = parts.recv() => {
                until.cancel();
                until = stop.child_token();
                working.spawn(Work { dispatcher, worker }.run(role, rng.fork(), until.clone()));
                // A keeper that has stopped needs no fleet.
                let _ = fleets.send((fleet, lister));
            }
            Some(ended) = working.join_next() => panic_with(ended),
        }
    }
    while let Some(ended) = working.join_next().await {
        panic_with(ended);
    }
}

/// A panic in a loop is one of the process.
fn panic_with(ended: Result<(), JoinError>) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        std::panic::resume_unwind(panic);
    }
}

/// Refreshes the fleet whenever a part of it is due, until `stop`, and keeps each fleet that comes.
pub async fn keep(mut keeper: FleetKeeper, mut fleets: UnboundedReceiver<Listed>, stop: CancellationToken) {
    loop {
        let refreshing = async {
            keeper.refresh().await;
            let _ = tokio::time::timeout(keeper.pause(), std::future::pending::<()>()).await;
        };
        let fleet = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            fleet = fleets.recv() => fleet,
            () = refreshing => continue,
        };
        match fleet {
            Some((fleet, lister)) => keeper.replace(fleet, lister),
            // The engine is stopping.
            None => return stop.cancelled().await,
        }
    }
}

async fn run_if(wanted: bool, work: impl Future<Output = ()>) {
    if wanted {
        work.await;
    }
}
