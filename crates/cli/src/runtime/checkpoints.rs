//! The checkpoints of a process: one of their destinations, and how they follow the fleet.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_config::{CheckpointDestination, Fleet};
use holdfast_control::audit::{Checkpoint, Checkpointer, Destination};
use holdfast_runtime::checkpoints::checkpointer;
use holdfast_runtime::take_up::{self, Follower, Task, Tasks};
use holdfast_store::Store;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::output;

/// The standard output of the process.
struct Stdout;

#[async_trait]
impl Destination for Stdout {
    fn name(&self) -> String {
        CheckpointDestination::Stdout.to_string()
    }

    async fn append(&self, checkpoint: &Checkpoint) -> Result<(), String> {
        let written = output::write_line(&checkpoint.line());
        written.map_err(|error| format!("failed to write to the standard output: {error}"))
    }
}

/// The standard output, as a destination of checkpoints.
pub fn to_stdout() -> Box<dyn Destination> {
    Box::new(Stdout)
}

/// The sections that say how checkpoints are written.
const SECTIONS: [&str; 3] = ["audit", "azure", "storage"];

/// Writes the checkpoints of the fleet, and follows the fleet.
pub fn checkpoints(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    context: &Context,
    tasks: Tasks,
) -> anyhow::Result<Follower> {
    let (store, clock) = (Arc::clone(store), Arc::clone(&context.clock));
    let build = move |fleet: &Fleet| {
        let writing = |of: Checkpointer| -> Task {
            Box::new(move |stop: CancellationToken| Box::pin(of.keep(stop.cancelled_owned())))
        };
        Ok(checkpointer(fleet, &store, &clock, to_stdout)?.map(writing))
    };
    take_up::task(fleet, &SECTIONS, build, tasks)
}
