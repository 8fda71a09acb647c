//! Builds what signs checkpoints of the audit from the fleet file.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_config::{CheckpointDestination, Fleet};
use holdfast_control::audit::{Checkpoint, CheckpointContainer, CheckpointFile, Checkpointer, Destination};
use holdfast_identity::Identities;
use holdfast_model::{Clock, StorageName};
use holdfast_runtime::take_up::{self, Follower, Task, Tasks};
use holdfast_storage::AppendContainer;
use holdfast_store::Store;
use holdfast_telemetry::remember_secret;
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

/// What signs the checkpoints of the fleet file; `None` where it asks for none. Sends nothing.
pub fn checkpointer(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Checkpointer>> {
    let Some(checkpoints) = &fleet.checkpoints else { return Ok(None) };
    let mut destinations: Vec<Box<dyn Destination>> = Vec::new();
    for to in &checkpoints.to {
        destinations.push(match to {
            CheckpointDestination::Stdout => Box::new(Stdout),
            CheckpointDestination::File(path) => Box::new(CheckpointFile(path.clone())),
            CheckpointDestination::Storage(name) => {
                let container = container(fleet, name, clock)?;
                Box::new(CheckpointContainer { storage: name.to_string(), container })
            }
        });
    }
    Ok(Some(Checkpointer {
        store: Arc::clone(store),
        secrets: Identities::new(fleet, clock, remember_secret)?.access(None)?.secrets,
        key: checkpoints.key.clone(),
        fleet: checkpoints.name.clone(),
        every: checkpoints.every,
        destinations,
    }))
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
        Ok(checkpointer(fleet, &store, &clock)?.map(writing))
    };
    take_up::task(fleet, &SECTIONS, build, tasks)
}

/// The container of a storage, for blobs that are written once. Sends nothing.
pub fn container(
    fleet: &Fleet,
    name: &StorageName,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<AppendContainer> {
    let target = holdfast_control::storage_named(fleet, name)?;
    let access = Identities::new(fleet, clock, remember_secret)?.access(target.azure.as_deref())?;
    Ok(AppendContainer::new(name.clone(), target.clone(), access)?)
}
