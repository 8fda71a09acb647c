//! What the planner and the maintenance planner share.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{RunId, Timestamp};
use holdfast_store::Store;
use tokio::sync::{Notify, watch};

use crate::{Error, FleetSnapshot};

/// What a planner works with.
#[derive(Debug)]
pub struct PlanningContext {
    /// The store that runs are added to.
    pub store: Arc<dyn Store>,
    /// The latest fleet.
    pub fleet: watch::Receiver<Arc<FleetSnapshot>>,
    /// Randomness for the ids of runs.
    pub rng: fastrand::Rng,
    /// Notified when runs became due, so that the dispatcher need not wait for its next pass.
    pub due_signal: Arc<Notify>,
    /// Time between passes; `None` for the planner's default.
    pub interval: Option<Duration>,
}

impl PlanningContext {
    /// A second context for the same store and fleet, with its own randomness.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            fleet: self.fleet.clone(),
            rng: self.rng.fork(),
            due_signal: Arc::clone(&self.due_signal),
            interval: self.interval,
        }
    }

    pub(crate) fn fleet_now(&self) -> Arc<FleetSnapshot> {
        Arc::clone(&self.fleet.borrow())
    }

    pub(crate) fn new_id(&mut self, now: Timestamp) -> RunId {
        RunId::new(now, &mut self.rng)
    }
}

/// Logs a failed pass. The next pass repeats its work.
pub(crate) fn log_failure(work: &'static str, error: &Error) {
    tracing::error!(error = error as &dyn std::error::Error, "failed to {work}; trying again");
}
