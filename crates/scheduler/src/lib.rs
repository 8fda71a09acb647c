#![doc = include_str!("../README.md")]

mod dispatcher;
mod fairness;
mod fleet;
mod maintenance;
mod owed;
mod planner;
mod renewal;

pub use dispatcher::{Dispatched, Dispatcher};
pub use fairness::allocate_fairly;
pub use fleet::Fleet;
pub use maintenance::{MaintenancePlanner, MaintenanceReport};
pub use planner::Planner;

/// A pass of one of the loops failed; the next one makes up for it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] holdfast_store::Error),
    /// Messages may not have arrived. Their leases pass, and their runs are due again.
    #[error(transparent)]
    Queue(#[from] holdfast_queue::Error),
}
