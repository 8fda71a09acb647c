//! The trait: the storage behind a policy, as the rest of Holdfast sees it.

use async_trait::async_trait;
use holdfast_model::{RefreshReason, SasFacts, SasRefresh, StorageName, Timestamp};
use secrecy::SecretString;

use crate::{Container, Error, SasHealth, SasWarning};

/// The containers that policies write to, and the SAS for each.
#[async_trait]
pub trait Storage: Send + Sync {
    /// The container of a storage, for display.
    fn container(&self, storage: &StorageName) -> Result<Container, Error>;

    /// Returns a SAS for a backup that may run until `need.until`. The SAS is checked, and a new one is tested with a write
    /// if `need.probe` is set. An unusable SAS is refreshed first.
    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error>;

    /// Checks a SAS that is newly read or minted for `need`, and tests it with a write whatever the check finds. The SAS
    /// in use stays in use. An error means that no SAS could be obtained.
    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error>;

    /// The facts of a blob at `now`; `None` when it does not exist.
    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error>;
}

/// The requirements for a SAS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The current time.
    pub now: Timestamp,
    /// The latest end of the backup. The SAS must be valid beyond it.
    pub until: Timestamp,
    /// The fingerprint of a SAS that storage refused. It is not returned again.
    pub replace: Option<String>,
    /// The reason to read or mint a new SAS even if the one in use is usable. When the source returns the one in use again,
    /// that one is returned and nothing is replaced.
    pub reason: Option<RefreshReason>,
    /// Whether to test a SAS with a write before it is returned. `false` for storage that only Azure can reach.
    pub probe: bool,
}

/// A usable SAS.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The container's URL with the SAS: `storageAccountUrl` in Azure's requests.
    pub url: SecretString,
    /// The facts about it that are not secret.
    pub facts: SasFacts,
    /// The replacement, if this call replaced the SAS: the caller writes it to the audit.
    pub refresh: Option<SasRefresh>,
    /// Notices for a person about this SAS.
    pub warnings: Vec<SasWarning>,
}

/// The facts of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobFacts {
    /// The blob's length in bytes.
    pub size_bytes: u64,
}
