//! The seam: what the rest of Holdfast may ask of the storage behind a policy.

use async_trait::async_trait;
use holdfast_model::{RefreshReason, SasFacts, SasRefresh, StorageName, Timestamp};
use secrecy::SecretString;

use crate::{Container, Error, SasHealth, Warning};

/// The containers that policies write to, and the SAS for each.
#[async_trait]
pub trait Storage: Send + Sync {
    /// The container behind a storage's name, to be shown.
    fn container(&self, storage: &StorageName) -> Result<Container, Error>;

    /// A SAS good for a backup that may run until `need.until`: judged, tried by a write when new and `need.probe` says
    /// so, and refreshed first when the one at hand will not do.
    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error>;

    /// How a SAS that is newly read or minted for `need` does: judged and tried by a write, whatever the judgement
    /// says. It takes the place of none. An error when there is no SAS to judge.
    async fn judge(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error>;

    /// What is known of a blob at `now`; `None` when it is not there.
    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error>;
}

/// What a SAS is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The time now.
    pub now: Timestamp,
    /// The backup may run until then, and the SAS must last beyond it.
    pub until: Timestamp,
    /// The fingerprint of a SAS that storage refused: that one is not handed out again.
    pub replace: Option<String>,
    /// Set when a SAS newly read or minted is wanted for this reason, though the one at hand might do. A source that
    /// gives the one at hand again has none newer: that one is handed out, and nothing was replaced.
    pub reason: Option<RefreshReason>,
    /// Whether a SAS is tried by a write before it is handed out; not so for storage that only Azure can reach.
    pub probe: bool,
}

/// A SAS that will do.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The container's URL with the SAS: what Azure is told as `storageAccountUrl`.
    pub url: SecretString,
    /// What may be written down about it.
    pub facts: SasFacts,
    /// Set when this call replaced the SAS: the caller writes it to the audit.
    pub refresh: Option<SasRefresh>,
    /// What a person should know about this SAS although it was accepted.
    pub warnings: Vec<Warning>,
}

/// What is known of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobFacts {
    /// Its length in bytes.
    pub size_bytes: u64,
}
