//! Storage as these tests need it.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{ManualClock, RefreshReason, SasFacts, SasRefresh, SasWindow, StorageName, Timestamp};
use holdfast_storage::{
    BlobFacts, Container, Error, Grant, Need, SasHealth, SecretError, SecretRef, Secrets, Storage,
};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::world::pause;

/// The signature that must show nowhere.
pub const SIGNATURE: &str = "c2VjcmV0LXNpZ25hdHVyZQ";

const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

/// A storage with every blob it is asked for.
#[derive(Debug)]
pub struct FakeStorage {
    /// What was asked for, and whether a grant has been made before.
    pub needs: Mutex<Vec<Need>>,
    /// When blobs were looked at.
    pub looks: Mutex<Vec<Timestamp>>,
    /// Holds grants up while it has no permits.
    pub gate: Semaphore,
    /// How long the process stands still, by a clock, when it has its grant.
    pub stall: Mutex<Option<(std::sync::Arc<ManualClock>, Duration)>>,
}

impl Default for FakeStorage {
    fn default() -> Self {
        Self {
            needs: Mutex::default(),
            looks: Mutex::default(),
            gate: Semaphore::new(1_000),
            stall: Mutex::default(),
        }
    }
}

#[async_trait]
impl Storage for FakeStorage {
    fn container(&self, _: &StorageName) -> Result<Container, Error> {
        Ok(CONTAINER.parse().unwrap())
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        self.needs.lock().unwrap().push(need.clone());
        pause().await;
        drop(self.gate.acquire().await.unwrap());
        let is_new = need.reason.is_some() || self.needs.lock().unwrap().len() == 1;
        let window = SasWindow { start: None, expiry: Some(need.until + Duration::from_hours(1)) };
        let facts = SasFacts { fingerprint: "0123456789ab".into(), window };
        let refresh = is_new.then(|| SasRefresh {
            storage: storage.clone(),
            container: CONTAINER.into(),
            reason: need.reason.unwrap_or(RefreshReason::First),
            old: None,
            new: facts.clone(),
            backup: None,
        });
        if let Some((clock, by)) = self.stall.lock().unwrap().take() {
            clock.advance(by);
        }
        pause().await;
        let url = format!("{CONTAINER}?sp=rwdl&sig={SIGNATURE}");
        Ok(Grant { url: url.into(), facts, refresh, warnings: Vec::new() })
    }

    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        let container = self.container(storage)?;
        let window = SasWindow { start: None, expiry: Some(need.until + Duration::from_hours(1)) };
        Ok(SasHealth {
            container,
            origin: "env:SAS".into(),
            facts: SasFacts { fingerprint: "0123456789ab".into(), window },
            faults: Vec::new(),
            warnings: Vec::new(),
            probe: Ok(()),
            allows_key: Some(true),
            server_time: Some(need.now),
        })
    }

    async fn blob(&self, _: &StorageName, _: &str, now: Timestamp) -> Result<Option<BlobFacts>, Error> {
        self.looks.lock().unwrap().push(now);
        pause().await;
        Ok(Some(BlobFacts { size_bytes: 1_000 }))
    }
}

/// The connection string that must show nowhere.
pub const CONNECTION: &str = "Server=db;Password=hunter2";

/// Every secret is the same, but for those that are missing.
#[derive(Debug)]
pub struct FakeSecrets;

#[async_trait]
impl Secrets for FakeSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        if reference.to_string() == "env:MISSING" {
            return Err(SecretError::ReadEnv(reference.clone()));
        }
        Ok(CONNECTION.into())
    }
}
