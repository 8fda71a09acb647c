#![doc = include_str!("../README.md")]

mod act;
mod apply;
mod decide;
mod environment;
mod perform;
mod permit;
mod step;
mod step_observer;
mod worker;

pub use environment::{Environment, Settings};
pub use step::{Stepped, step};
pub use step_observer::{Ended, NoopStepObserver, StepObserver};
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
