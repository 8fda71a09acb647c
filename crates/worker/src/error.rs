//! Why a step failed.

use holdfast_model::{IllegalTransition, RunId};

/// A step failed on Holdfast's side. The run becomes due again when its lease expires.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] holdfast_store::Error),
    /// A defect: the run's state does not allow the computed event.
    #[error("failed to move run {run}")]
    Move {
        /// The run.
        run: RunId,
        /// The refused event.
        #[source]
        source: IllegalTransition,
    },
}
