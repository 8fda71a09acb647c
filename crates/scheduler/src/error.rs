//! Why a pass failed.

/// A pass of a loop failed. The next pass repeats its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] holdfast_store::Error),
    /// Messages may not have reached the queue. Their leases pass, and their runs are due again.
    #[error(transparent)]
    Queue(#[from] holdfast_queue::Error),
}
