//! Secrets and SAS that pass to the program are remembered, so that logs and messages blank them.

use async_trait::async_trait;
use holdfast_model::{StorageName, Timestamp};
use holdfast_storage::{
    BlobFacts, Container, Error, Grant, Need, SasHealth, SecretError, SecretRef, Secrets, Storage,
};
use secrecy::SecretString;

/// Remembers a secret, so that logs and exports blank it from now on.
pub type Remember = fn(&SecretString);

/// Remembers each secret that another reader reads.
#[derive(Debug)]
pub(crate) struct RememberingSecrets<S> {
    pub secrets: S,
    pub remember: Remember,
}

#[async_trait]
impl<S: Secrets> Secrets for RememberingSecrets<S> {
    async fn read(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        let secret = self.secrets.read(reference).await?;
        (self.remember)(&secret);
        Ok(secret)
    }
}

/// Remembers each SAS that another storage grants.
#[derive(Debug)]
pub struct RememberingStorage<S> {
    /// The other storage.
    pub storage: S,
    /// Remembers the URL of the container with its SAS.
    pub remember: Remember,
}

#[async_trait]
impl<S: Storage> Storage for RememberingStorage<S> {
    fn container(&self, storage: &StorageName) -> Result<Container, Error> {
        self.storage.container(storage)
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        let grant = self.storage.grant(storage, need).await?;
        (self.remember)(&grant.url);
        Ok(grant)
    }

    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        self.storage.sas_health(storage, need).await
    }

    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error> {
        self.storage.blob(storage, blob_name, now).await
    }
}
