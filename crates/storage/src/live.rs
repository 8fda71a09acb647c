//! The storages of a fleet file, over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{Clock, StorageName, Timestamp};

use crate::http::Clients;
use crate::storage::{BlobFacts, Grant, Need, Storage};
use crate::storage_state::StorageState;
use crate::supply::{Access, StorageTarget, Supply};
use crate::{Container, Error, SasHealth};

/// The storages of a fleet file, over HTTP.
#[derive(Debug)]
pub struct LiveStorage {
    by_name: BTreeMap<StorageName, StorageState>,
}

impl LiveStorage {
    /// The storages of `targets`, each with its credentials. `rng` makes the names of test blobs, which must differ
    /// between processes.
    pub fn new(
        targets: BTreeMap<StorageName, (StorageTarget, Access)>,
        clock: &Arc<dyn Clock>,
        mut rng: fastrand::Rng,
    ) -> Result<Self, Error> {
        let clients = Clients::new()?;
        let state = |(name, (target, access)): (StorageName, (StorageTarget, Access))| {
            let client = clients.of(target.container.url()).clone();
            let supply = Supply::new(name.clone(), target, access, client.clone());
            (name, StorageState::new(supply, client, Arc::clone(clock), rng.fork()))
        };
        Ok(Self { by_name: targets.into_iter().map(state).collect() })
    }

    fn find(&self, storage: &StorageName) -> Result<&StorageState, Error> {
        self.by_name.get(storage).ok_or_else(|| Error::FindStorage { storage: storage.clone() })
    }
}

#[async_trait]
impl Storage for LiveStorage {
    fn container(&self, storage: &StorageName) -> Result<Container, Error> {
        Ok(self.find(storage)?.container().clone())
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        self.find(storage)?.grant(need).await
    }

    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        self.find(storage)?.sas_health(need).await
    }

    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error> {
        self.find(storage)?.blob(blob_name, now).await
    }
}
