//! Reads or mints the SAS of one storage.

use std::sync::Arc;

use chrono::TimeDelta;
use holdfast_model::{StorageName, Timestamp};
use reqwest::Client;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::creation::{Authority, create};
use crate::delegation::{DelegationKey, SCOPE};
use crate::mint::{mint_creation, mint_delegated};
use crate::storage::Need;
use crate::time::start_of_minute;
use crate::{Container, Error, InvalidKey, NoKey, Sas, SasSource, SecretRef, Secrets, Tokens, mint};

/// One storage of the fleet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageTarget {
    /// The container for backups; with a pattern, the container of a made-up app.
    pub container: Container,
    /// The name of the container of each app, such as `{app}`; `None` where all apps write into one.
    pub pattern: Option<String>,
    /// Whether a container that does not exist is created on first use.
    pub creates: bool,
    /// The source of its SAS.
    pub source: SasSource,
    /// `contoso` for the credential of `[azure.contoso]`; `None` for the fleet's own choice.
    pub azure: Option<String>,
}

impl StorageTarget {
    /// One container, which exists.
    pub fn new(container: Container, source: SasSource) -> Self {
        Self { container, pattern: None, creates: false, source, azure: None }
    }

    /// The container of a storage with this name; `None` where the name does not say which.
    pub fn container_of(&self, storage: &StorageName) -> Option<Container> {
        match (&self.pattern, storage.container()) {
            (None, None) => Some(self.container.clone()),
            (Some(_), Some(name)) => self.container.with_name(name).ok(),
            _ => None,
        }
    }
}

/// The credentials for a storage's SAS.
#[derive(Debug, Clone)]
pub struct Access {
    /// Reads a SAS or a key.
    pub secrets: Arc<dyn Secrets>,
    /// Provides tokens for a user delegation key.
    pub tokens: Arc<dyn Tokens>,
}

/// Reads or mints the SAS of one storage, without a cache.
#[derive(Debug)]
pub(crate) struct Supply {
    pub name: StorageName,
    pub target: StorageTarget,
    access: Access,
    client: Client,
    /// Held while a key is requested, so that concurrent callers get the same one. Containers of one account share it.
    key: Arc<Mutex<Option<DelegationKey>>>,
}

/// The permissions that App Service needs for a backup, its manifest and their deletion.
const BACKUP_PERMISSIONS: &str = "rwdl";

/// A minted SAS is valid from this long ago, because of clock skew.
const BEGUN_FOR: TimeDelta = TimeDelta::minutes(10);

/// The lifetime of a SAS that is minted to read a blob.
const LOOK: TimeDelta = TimeDelta::minutes(15);

/// The longest lifetime. It keeps times in range.
const LIFETIME_MAX: TimeDelta = TimeDelta::days(3650);

impl Supply {
    pub(crate) fn new(name: StorageName, target: StorageTarget, access: Access, client: Client) -> Self {
        Self { name, target, access, client, key: Arc::default() }
    }

    /// The supply of another container of the storage.
    pub(crate) fn for_container(&self, name: StorageName, container: Container) -> Self {
        let target = StorageTarget { container, ..self.target.clone() };
        let (access, client, key) = (self.access.clone(), self.client.clone(), Arc::clone(&self.key));
        Self { name, target, access, client, key }
    }

    /// Creates the container, unless it exists.
    pub(crate) async fn create_container(&self, now: Timestamp) -> Result<(), Error> {
        let container = &self.target.container;
        let authority = match &self.target.source {
            SasSource::Url(secret) | SasSource::AccountKey { key: secret, .. } => {
                let (start, expiry) = (start_of_minute(now) - BEGUN_FOR, start_of_minute(now) + LOOK);
                let query = mint_creation(&self.read(secret).await?, container, start, expiry);
                let (storage, origin) = (self.name.clone(), self.target.source.origin());
                Authority::Sas(query.map_err(|cause| Error::MintSas { storage, origin, cause })?)
            }
            SasSource::UserDelegation { .. } => {
                let token = self.access.tokens.token(SCOPE).await.map_err(NoKey::NoToken);
                let storage = self.name.clone();
                Authority::Token(token.map_err(|cause| Error::DelegateKey { storage, cause })?)
            }
        };
        create(&self.client, container, &authority).await.map_err(|cause| Error::CreateContainer {
            storage: self.name.clone(),
            container: container.to_string(),
            cause,
        })
    }

    /// A SAS for a backup, newly read or minted, other than the refused one in `need`.
    pub(crate) async fn for_backup(&self, need: &Need) -> Result<Sas, Error> {
        let is_refused = |sas: &Sas| need.replace.as_deref() == Some(sas.fingerprint());
        match &self.target.source {
            SasSource::Url(reference) => {
                let sas = self.read_sas(reference).await?;
                if is_refused(&sas) {
                    let (storage, fingerprint) = (self.name.clone(), sas.fingerprint().to_owned());
                    return Err(Error::ReplaceSas { storage, origin: reference.to_string(), fingerprint });
                }
                Ok(sas)
            }
            SasSource::AccountKey { lifetime, .. } | SasSource::UserDelegation { lifetime } => {
                let lifetime = TimeDelta::from_std(*lifetime).unwrap_or(LIFETIME_MAX).min(LIFETIME_MAX);
                // Whole minutes, so that concurrent processes mint the same SAS; rounded up so that none is too short.
                let minute = start_of_minute(need.now);
                let (start, expiry) = (minute - BEGUN_FOR, minute + TimeDelta::minutes(1) + lifetime);
                let sas = self.mint(BACKUP_PERMISSIONS, need.now, start, expiry).await?;
                if is_refused(&sas) {
                    let start = start - TimeDelta::minutes(1);
                    return self.mint(BACKUP_PERMISSIONS, need.now, start, expiry).await;
                }
                Ok(sas)
            }
        }
    }

    /// A SAS to read a blob: read from the source, or minted read-only with a short lifetime. It replaces none.
    pub(crate) async fn for_reading(&self, now: Timestamp) -> Result<Sas, Error> {
        self.for_minutes("r", now).await
    }

    /// A SAS with `permissions` for some minutes; one that is read from a source has its own.
    pub(crate) async fn for_minutes(&self, permissions: &str, now: Timestamp) -> Result<Sas, Error> {
        match &self.target.source {
            SasSource::Url(reference) => self.read_sas(reference).await,
            SasSource::AccountKey { .. } | SasSource::UserDelegation { .. } => {
                let minute = start_of_minute(now);
                self.mint(permissions, now, minute - BEGUN_FOR, minute + LOOK).await
            }
        }
    }

    /// Discards the user delegation key after a refusal, because it may have been revoked. A key from the current minute
    /// stays: a newer one would be no better, and a whole fleet would request it.
    pub(crate) async fn forget_key(&self, now: Timestamp) {
        self.key.lock().await.take_if(|key| key.is_older(now));
    }

    async fn read_sas(&self, reference: &SecretRef) -> Result<Sas, Error> {
        let text = self.read(reference).await?;
        let sas = Sas::parse_for(&text, &self.target.container);
        let (storage, origin) = (self.name.clone(), reference.to_string());
        sas.map_err(|cause| Error::ParseSas { storage, origin, cause })
    }

    async fn mint(
        &self,
        permissions: &str,
        now: Timestamp,
        start: Timestamp,
        expiry: Timestamp,
    ) -> Result<Sas, Error> {
        let container = &self.target.container;
        let query = match &self.target.source {
            SasSource::Url(secret) | SasSource::AccountKey { key: secret, .. } => {
                mint(&self.read(secret).await?, container, permissions, start, expiry)
            }
            SasSource::UserDelegation { .. } => {
                let key = self.delegation_key(now, start, expiry).await?;
                mint_delegated(&key, container, permissions, start, expiry)
            }
        };
        let sas = query.and_then(|query| Sas::parse(&query).map_err(|_| InvalidKey::Signed));
        let (storage, origin) = (self.name.clone(), self.target.source.origin());
        sas.map_err(|cause| Error::MintSas { storage, origin, cause })
    }

    /// The cached user delegation key, or a new one if that one does not cover the SAS.
    async fn delegation_key(
        &self,
        now: Timestamp,
        start: Timestamp,
        expiry: Timestamp,
    ) -> Result<DelegationKey, Error> {
        let mut at_hand = self.key.lock().await;
        if let Some(key) = at_hand.as_ref().filter(|key| key.covers(start, expiry)) {
            return Ok(key.clone());
        }
        let asked = DelegationKey::ask(&self.client, &self.target.container, &*self.access.tokens, now).await;
        let key = asked.map_err(|cause| Error::DelegateKey { storage: self.name.clone(), cause })?;
        Ok(at_hand.insert(key).clone())
    }

    async fn read(&self, reference: &SecretRef) -> Result<SecretString, Error> {
        let read = self.access.secrets.read(reference).await;
        read.map_err(|cause| Error::ReadSecret { storage: self.name.clone(), cause })
    }
}
