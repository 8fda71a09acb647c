//! Secrets and SAS that pass to the program are remembered, so that logs and messages blank them.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{StorageName, Timestamp};
use holdfast_storage::{
    BlobFacts, Container, Error, Grant, Need, SasHealth, SecretError, SecretRef, Secrets, Storage,
};
use holdfast_telemetry::remember_secret;
use secrecy::SecretString;

/// Remembers each secret that another reader reads.
#[derive(Debug)]
pub struct RememberingSecrets(pub Arc<dyn Secrets>);

#[async_trait]
impl Secrets for RememberingSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        let secret = self.0.read(reference).await?;
        remember_secret(&secret);
        Ok(secret)
    }
}

/// Remembers each SAS that another storage grants.
pub struct RememberingStorage<S>(pub S);

#[async_trait]
impl<S: Storage> Storage for RememberingStorage<S> {
    fn container(&self, storage: &StorageName) -> Result<Container, Error> {
        self.0.container(storage)
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        let grant = self.0.grant(storage, need).await?;
        remember_secret(&grant.url);
        Ok(grant)
    }

    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        self.0.sas_health(storage, need).await
    }

    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error> {
        self.0.blob(storage, blob_name, now).await
    }
}
