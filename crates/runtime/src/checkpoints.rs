//! Builds what signs checkpoints of the audit from a fleet.

use std::sync::Arc;

use holdfast_config::{CheckpointDestination, Fleet};
use holdfast_control::audit::{CheckpointContainer, CheckpointFile, Checkpointer, Destination};
use holdfast_identity::Identities;
use holdfast_model::{Clock, StorageName};
use holdfast_storage::AppendContainer;
use holdfast_store::Store;
use holdfast_telemetry::remember_secret;

/// Makes the destination that is the standard output of the process.
pub type ToStdout = fn() -> Box<dyn Destination>;

/// What signs the checkpoints of the fleet; `None` where it asks for none. Sends nothing.
pub fn checkpointer(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    stdout: ToStdout,
) -> anyhow::Result<Option<Checkpointer>> {
    let Some(checkpoints) = &fleet.checkpoints else { return Ok(None) };
    let mut destinations: Vec<Box<dyn Destination>> = Vec::new();
    for to in &checkpoints.to {
        destinations.push(match to {
            CheckpointDestination::Stdout => stdout(),
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
