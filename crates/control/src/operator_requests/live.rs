//! Requests over a fleet file, a store, Azure and its storage.

use std::sync::Arc;

use holdfast_arm::Arm;
use holdfast_config::Fleet;
use holdfast_model::{Actor, Clock};
use holdfast_storage::Storage;
use holdfast_store::Store;

use crate::audit::Checkpointer;
use crate::{ControlContext, Error};

/// Requests over a fleet file, a store, Azure and its storage.
pub struct LiveRequests {
    /// The fleet file.
    pub fleet: Fleet,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The client of ARM, whose calls draw on the shared budgets.
    pub arm: Arc<dyn Arm>,
    /// The SAS and containers of the storages.
    pub storage: Arc<dyn Storage>,
    /// The clock of the process.
    pub clock: Arc<dyn Clock>,
    /// Signs checkpoints of the audit, where the fleet file asks for them.
    pub checkpointer: Option<Checkpointer>,
}

impl LiveRequests {
    pub(super) async fn context(&self, actor: &Actor) -> Result<ControlContext<'_>, Error> {
        Ok(ControlContext {
            fleet: &self.fleet,
            store: &*self.store,
            arm: Arc::clone(&self.arm),
            storage: Arc::clone(&self.storage),
            now: self.store.now().await?,
            actor: actor.clone(),
            notify: Arc::new(|warning: &str| tracing::warn!("{warning}")),
        })
    }
}
