//! Storage whose caller may crash.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{StorageName, Timestamp};
use holdfast_storage::{BlobFacts, Container, Grant, Need, SasHealth, Storage};

use super::injector::Faulty;

#[async_trait]
impl Storage for Faulty<Arc<dyn Storage>> {
    fn container(&self, storage: &StorageName) -> Result<Container, holdfast_storage::Error> {
        self.inner.container(storage)
    }

    async fn sas_health(
        &self,
        storage: &StorageName,
        need: &Need,
    ) -> Result<SasHealth, holdfast_storage::Error> {
        self.around(self.inner.sas_health(storage, need)).await
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, holdfast_storage::Error> {
        self.around(self.inner.grant(storage, need)).await
    }

    async fn blob(
        &self,
        storage: &StorageName,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, holdfast_storage::Error> {
        self.around(self.inner.blob(storage, name, now)).await
    }
}
