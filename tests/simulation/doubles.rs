//! Test doubles: a clock that jumps, and storage, probe and secrets on the simulator.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{SubsecRound, TimeDelta};
use holdfast_arm::{Probe, ProbeError};
use holdfast_model::{Clock, RefreshReason, SasRefresh, StorageName, Timestamp};
use holdfast_simulator::{Azure, InProcess, Method, Request};
use holdfast_storage::{
    BlobFacts, Container, Error, Grant, Need, Refusal, Sas, SasCheck, SasHealth, SecretError, SecretRef,
    Secrets, Storage, check_sas, mint,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

/// A clock on the runtime's paused time, whose wall time can jump.
#[derive(Debug)]
pub(crate) struct SimClock {
    start: Timestamp,
    began: Instant,
    skew: Mutex<TimeDelta>,
}

impl SimClock {
    /// A clock at `start`. Panics outside of a runtime: there it would read the machine's time, and seeds would not
    /// replay exactly.
    pub(crate) fn new(start: Timestamp) -> Self {
        assert!(tokio::runtime::Handle::try_current().is_ok(), "the clock needs a runtime with paused time");
        Self { start, began: Instant::now(), skew: Mutex::new(TimeDelta::zero()) }
    }

    /// Moves the wall clock forwards or backwards.
    pub(crate) fn jump(&self, by: TimeDelta) {
        *self.skew.lock().unwrap() += by;
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        (self.start + self.began.elapsed() + *self.skew.lock().unwrap()).trunc_subsecs(3)
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// The double of `LiveStorage` on the simulator's containers: mints and checks SAS, and sometimes does not answer.
#[derive(Debug)]
pub(crate) struct SimStorage {
    pub azure: InProcess,
    pub container: Container,
    pub key: SecretString,
    pub lifetime: Duration,
    pub clock: Arc<SimClock>,
    pub current_sas: Mutex<Option<Arc<Sas>>>,
    pub unreachable: Mutex<(f64, fastrand::Rng)>,
    /// Every signature ever minted. None may appear in a row or an event.
    pub signatures: Arc<Mutex<Vec<String>>>,
}

impl SimStorage {
    fn answers(&self, storage: &StorageName) -> Result<(), Error> {
        let mut unreachable = self.unreachable.lock().unwrap();
        let rate = unreachable.0;
        if unreachable.1.f64() < rate {
            let cause = Refusal::NoAnswer { operation: "writing a blob", reason: "simulated".into() };
            let (container, fingerprint) = (self.container.to_string(), String::new());
            return Err(Error::ProbeContainer { storage: storage.clone(), container, fingerprint, cause });
        }
        Ok(())
    }

    fn minted(&self, now: Timestamp) -> Sas {
        let (start, expiry) = (now - Duration::from_mins(10), now + self.lifetime);
        let query = mint(&self.key, &self.container, "rwdl", start, expiry).unwrap();
        let sig = query.expose_secret().split("sig=").nth(1).unwrap().to_owned();
        self.signatures.lock().unwrap().push(sig);
        Sas::parse(&query).unwrap()
    }
}

#[async_trait]
impl Storage for SimStorage {
    fn container(&self, _: &StorageName) -> Result<Container, Error> {
        Ok(self.container.clone())
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        if need.probe {
            self.answers(storage)?;
        }
        let now = self.clock.now();
        let mut current_sas = self.current_sas.lock().unwrap();
        let reason = match &*current_sas {
            _ if need.reason.is_some() => need.reason,
            None => Some(RefreshReason::First),
            Some(sas) if need.replace.as_deref() == Some(sas.fingerprint()) => Some(RefreshReason::Refused),
            Some(sas) if !check_sas(sas, now, need.until, false).faults.is_empty() => {
                Some(RefreshReason::Expiring)
            }
            Some(_) => None,
        };
        let refresh = reason.map(|reason| {
            let new = Arc::new(self.minted(now));
            let old = current_sas.replace(Arc::clone(&new)).map(|old| old.facts());
            let (storage, container) = (storage.clone(), self.container.to_string());
            SasRefresh { storage, container, reason, old, new: new.facts(), backup: None }
        });
        let sas = current_sas.clone().unwrap();
        Ok(Grant { url: sas.url(&self.container), facts: sas.facts(), refresh, warnings: Vec::new() })
    }

    async fn sas_health(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        self.answers(storage)?;
        let now = self.clock.now();
        let sas = self.minted(now);
        let SasCheck { faults, warnings } = check_sas(&sas, now, need.until, false);
        Ok(SasHealth {
            container: self.container.clone(),
            origin: "the account's key".into(),
            facts: sas.facts(),
            faults,
            warnings,
            probe: Ok(()),
            allows_key: Some(true),
            server_time: Some(now),
        })
    }

    async fn blob(
        &self,
        storage: &StorageName,
        name: &str,
        _: Timestamp,
    ) -> Result<Option<BlobFacts>, Error> {
        self.answers(storage)?;
        let blob = self.azure.blob(self.container.url().as_str(), name);
        Ok(blob.map(|blob| BlobFacts { size_bytes: blob.length }))
    }
}

/// The double of a drill's probe: requests the path of the URL from the simulator.
#[derive(Debug)]
pub(crate) struct SimProbe {
    pub azure: Arc<Mutex<Azure>>,
    pub clock: Arc<SimClock>,
}

#[async_trait]
impl Probe for SimProbe {
    async fn probe(&self, url: &str) -> Result<(), ProbeError> {
        let path = url.strip_prefix("https://sim").ok_or(ProbeError::Url)?;
        let answer = self.azure.lock().unwrap().handle(self.clock.now(), &Request::new(Method::Get, path));
        if answer.is_success() { Ok(()) } else { Err(ProbeError::Status(answer.status)) }
    }
}

/// The double of the secrets: the same connection string for every reference.
#[derive(Debug)]
pub(crate) struct SimSecrets {
    pub connection: SecretString,
}

#[async_trait]
impl Secrets for SimSecrets {
    async fn read(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
        Ok(self.connection.clone())
    }
}
