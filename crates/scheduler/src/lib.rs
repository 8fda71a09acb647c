#![doc = include_str!("../README.md")]

mod dispatcher;
mod fleet;
mod housekeeper;
mod owed;
mod planner;
mod renewal;
mod share;

pub use dispatcher::{Dispatched, Dispatcher};
pub use fleet::Fleet;
pub use housekeeper::{Housekeeper, Housekept};
pub use planner::Planner;
pub use share::share;

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
