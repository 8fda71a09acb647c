//! The storages of a fleet file, over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{Clock, StorageName, Timestamp};
use tokio::sync::Mutex;

use crate::http::Clients;
use crate::storage::{BlobFacts, Grant, Need, Storage};
use crate::storage_state::StorageState;
use crate::supply::{Access, StorageTarget, Supply};
use crate::{Container, Error, SasHealth};

/// The storages of a fleet file, over HTTP.
#[derive(Debug)]
pub struct LiveStorage {
    /// The sections of the fleet file.
    sections: BTreeMap<String, Arc<StorageState>>,
    /// The containers of apps that were used, by the name of the storage.
    containers: Mutex<BTreeMap<StorageName, Arc<StorageState>>>,
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
            let section = name.section().to_owned();
            (section, Arc::new(StorageState::new(supply, client, Arc::clone(clock), rng.fork())))
        };
        Ok(Self { sections: targets.into_iter().map(state).collect(), containers: Mutex::default() })
    }

    fn section(&self, storage: &StorageName) -> Result<&Arc<StorageState>, Error> {
        let unknown = || Error::FindStorage { storage: storage.clone() };
        self.sections.get(storage.section()).ok_or_else(unknown)
    }

    fn container_of(&self, storage: &StorageName) -> Result<Container, Error> {
        let found = self.section(storage)?.target().container_of(storage);
        found.ok_or_else(|| Error::NameContainer { storage: storage.clone() })
    }

    /// The storage of this name. The container of an app is opened when it is first asked for.
    async fn find(&self, storage: &StorageName) -> Result<Arc<StorageState>, Error> {
        let (section, container) = (self.section(storage)?, self.container_of(storage)?);
        if storage.container().is_none() {
            return Ok(Arc::clone(section));
        }
        let mut containers = self.containers.lock().await;
        if let Some(state) = containers.get(storage) {
            return Ok(Arc::clone(state));
        }
        let state = Arc::new(section.for_container(storage.clone(), container).await);
        containers.insert(storage.clone(), Arc::clone(&state));
        Ok(state)
    }
}

#[async_trait]
impl Storage for LiveStorage {
    fn container(&self, storage: &StorageName) -> Result<Container, Error> {
        self.container_of(storage)
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        self.find(storage).await?.grant(need).await
    }

    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        self.find(storage).await?.sas_health(need).await
    }

    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error> {
        self.find(storage).await?.blob(blob_name, now).await
    }
}
