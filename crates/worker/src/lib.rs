#![doc = include_str!("../README.md")]

mod act;
mod apply;
mod decide;
mod perform;
mod permit;
mod seams;
mod step;
mod watch;
mod worker;

pub use seams::{Seams, Settings};
pub use step::{Stepped, step};
pub use watch::{Ended, Unwatched, Watch};
pub use worker::Worker;

/// A step failed at our own end. Its message is let go: the lease passes, and the run is due again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] holdfast_store::Error),
    /// A defect: what was decided cannot happen to the run as it is.
    #[error("failed to move run {run}")]
    Move {
        /// The run.
        run: holdfast_model::RunId,
        /// Why not.
        #[source]
        source: holdfast_model::IllegalTransition,
    },
}
