//! One storage: the SAS in use, its checks and its replacement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Clock, RefreshReason, SasRefresh, StorageName, Timestamp};
use reqwest::Client;
use tokio::sync::Mutex;

use crate::probe::{Probed, probe};
use crate::storage::{BlobFacts, Grant, Need};
use crate::supply::{StorageTarget, Supply};
use crate::{Container, Error, ErrorKind, Refusal, Sas, SasCheck, SasHealth, blob, check_sas};

/// One storage of a fleet file, with the SAS in use.
#[derive(Debug)]
pub(crate) struct StorageState {
    supply: Supply,
    client: Client,
    clock: Arc<dyn Clock>,
    /// Held while a SAS is replaced, so that concurrent callers get the same one.
    in_use: Mutex<InUse>,
}

#[derive(Debug)]
struct InUse {
    sas: Option<Arc<Sas>>,
    /// Whether the container was created, or found.
    is_created: bool,
    /// The results of recent test writes, by fingerprint.
    tests: BTreeMap<String, WriteTest>,
    rng: fastrand::Rng,
}

/// The result of a test write, and its time.
#[derive(Debug)]
struct WriteTest {
    at: Duration,
    result: Result<(), Refusal>,
}

/// How long a successful test write counts.
const SUCCESS_COUNTS_FOR: Duration = Duration::from_mins(10);

/// How long a failed test write counts. It spares a storage that is down the requests of a whole fleet.
const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(30);

/// Whether the SAS in use can be returned.
enum CurrentSas {
    Usable(Arc<Sas>),
    Replace(RefreshReason),
}

impl StorageState {
    /// A storage without a SAS in use. `rng` makes the names of test blobs.
    pub(crate) fn new(supply: Supply, client: Client, clock: Arc<dyn Clock>, rng: fastrand::Rng) -> Self {
        let in_use = InUse { sas: None, is_created: false, tests: BTreeMap::new(), rng };
        Self { supply, client, clock, in_use: Mutex::new(in_use) }
    }

    /// The state of another container of the storage.
    pub(crate) async fn for_container(&self, name: StorageName, container: Container) -> Self {
        let rng = self.in_use.lock().await.rng.fork();
        let supply = self.supply.for_container(name, container);
        Self::new(supply, self.client.clone(), Arc::clone(&self.clock), rng)
    }

    /// What the fleet file says about it.
    pub(crate) fn target(&self) -> &StorageTarget {
        &self.supply.target
    }

    /// The container.
    pub(crate) fn container(&self) -> &Container {
        &self.supply.target.container
    }

    /// Returns the SAS in use, or replaces it first.
    pub(crate) async fn grant(&self, need: &Need) -> Result<Grant, Error> {
        let mut in_use = self.in_use.lock().await;
        self.create(&mut in_use, need.now).await?;
        // A SAS that was refused after its test is tested again for callers that still ask for it.
        in_use.tests.retain(|fingerprint, _| need.replace.as_ref() != Some(fingerprint));
        let (sas, refresh) = match self.current(&mut in_use, need).await? {
            CurrentSas::Usable(sas) => (sas, None),
            CurrentSas::Replace(reason) => self.replace(&mut in_use, need, reason).await?,
        };
        let warnings = self.check(&sas, need).warnings;
        Ok(Grant { url: sas.url(self.container()), facts: sas.facts(), refresh, warnings })
    }

    /// Checks a new SAS and tests it with a write. The SAS in use stays in use.
    pub(crate) async fn sas_health(&self, need: &Need) -> Result<SasHealth, Error> {
        self.create(&mut *self.in_use.lock().await, need.now).await?;
        let sas = self.supply.for_backup(need).await?;
        let SasCheck { faults, warnings } = self.check(&sas, need);
        let blob_name = self.in_use.lock().await.test_blob_name(need.now);
        let Probed { result, server_time } = probe(&self.client, self.container(), &sas, &blob_name).await;
        Ok(SasHealth {
            container: self.container().clone(),
            origin: self.supply.target.source.origin(),
            facts: sas.facts(),
            faults,
            warnings,
            allows_key: allows_key(&sas, &result),
            probe: result,
            server_time,
        })
    }

    /// Reads the facts of a blob; `None` when it does not exist.
    pub(crate) async fn blob(&self, blob_name: &str, now: Timestamp) -> Result<Option<BlobFacts>, Error> {
        let sas = self.supply.for_reading(now).await?;
        let looked = blob::look(&self.client, self.container(), &sas, blob_name).await;
        looked.map_err(|cause| Error::ReadBlob {
            storage: self.supply.name.clone(),
            container: self.container().to_string(),
            blob_name: blob_name.to_owned(),
            cause,
        })
    }

    /// Creates the container once, where the fleet file says so.
    async fn create(&self, in_use: &mut InUse, now: Timestamp) -> Result<(), Error> {
        if self.supply.target.creates && !in_use.is_created {
            self.supply.create_container(now).await?;
            in_use.is_created = true;
        }
        Ok(())
    }

    /// The SAS in use if it is usable, or the reason to replace it.
    async fn current(&self, in_use: &mut InUse, need: &Need) -> Result<CurrentSas, Error> {
        if let Some(reason) = need.reason {
            return Ok(CurrentSas::Replace(reason));
        }
        let Some(sas) = in_use.sas.clone() else { return Ok(CurrentSas::Replace(RefreshReason::First)) };
        if need.replace.as_deref() == Some(sas.fingerprint()) {
            return Ok(CurrentSas::Replace(RefreshReason::Refused));
        }
        if !self.check(&sas, need).faults.is_empty() {
            return Ok(CurrentSas::Replace(RefreshReason::Expiring));
        }
        match self.test_write(in_use, &sas, need).await {
            Ok(()) => Ok(CurrentSas::Usable(sas)),
            // It worked before. The key may have been rotated, and the source may have a newer SAS.
            Err(error) if error.kind() == ErrorKind::Unusable => {
                Ok(CurrentSas::Replace(RefreshReason::Refused))
            }
            Err(error) => Err(error),
        }
    }

    /// Replaces the SAS in use with a new one from the source, if that one is usable.
    async fn replace(
        &self,
        in_use: &mut InUse,
        need: &Need,
        reason: RefreshReason,
    ) -> Result<(Arc<Sas>, Option<SasRefresh>), Error> {
        let Supply { name, target, .. } = &self.supply;
        if reason == RefreshReason::Refused || need.replace.is_some() {
            self.supply.forget_key(need.now).await;
        }
        let sas = Arc::new(self.supply.for_backup(need).await?);
        let faults = self.check(&sas, need).faults;
        if !faults.is_empty() {
            let (origin, cure) = (target.source.origin(), target.source.cure());
            return Err(Error::UnusableSas { storage: name.clone(), origin, faults, cure });
        }
        if let Err(error) = self.test_write(in_use, &sas, need).await {
            if error.kind() == ErrorKind::Unusable {
                self.supply.forget_key(need.now).await;
            }
            return Err(error);
        }
        let old = in_use.sas.replace(sas.clone()).map(|old| old.facts());
        // The source may return the one in use again, when storage refused it only for a moment.
        let is_new = old.as_ref().is_none_or(|old| old.fingerprint != sas.fingerprint());
        let (storage, container) = (name.clone(), target.container.to_string());
        let refresh =
            is_new.then(|| SasRefresh { storage, container, reason, old, new: sas.facts(), backup: None });
        Ok((sas, refresh))
    }

    /// Writes a test blob with the SAS, unless a recent test still counts or `need` asks for none.
    async fn test_write(&self, in_use: &mut InUse, sas: &Sas, need: &Need) -> Result<(), Error> {
        if !need.probe {
            return Ok(());
        }
        let fingerprint = sas.fingerprint().to_owned();
        let elapsed = self.clock.elapsed();
        in_use.tests.retain(|_, test| test.counts(elapsed));
        let result = if let Some(test) = in_use.tests.get(&fingerprint) {
            test.result.clone()
        } else {
            let blob_name = in_use.test_blob_name(need.now);
            let result = probe(&self.client, self.container(), sas, &blob_name).await.result;
            let test = WriteTest { at: self.clock.elapsed(), result: result.clone() };
            in_use.tests.insert(fingerprint.clone(), test);
            result
        };
        result.map_err(|cause| Error::ProbeContainer {
            storage: self.supply.name.clone(),
            container: self.container().to_string(),
            fingerprint,
            cause,
        })
    }

    fn check(&self, sas: &Sas, need: &Need) -> SasCheck {
        check_sas(sas, need.now, need.until, self.container().url().scheme() == "http")
    }
}

impl InUse {
    fn test_blob_name(&mut self, now: Timestamp) -> String {
        format!(".holdfast-probe-{}-{:08x}", now.timestamp_millis(), self.rng.u32(..))
    }
}

/// Whether the account allows access by key, from the response to a SAS. Only a SAS signed with a key shows it.
fn allows_key(sas: &Sas, result: &Result<(), Refusal>) -> Option<bool> {
    match result {
        Ok(()) if !sas.is_delegated => Some(true),
        Err(Refusal::NoKeyAccess { .. }) => Some(false),
        _ => None,
    }
}

impl WriteTest {
    fn counts(&self, elapsed: Duration) -> bool {
        let limit = if self.result.is_ok() { SUCCESS_COUNTS_FOR } else { FAILURE_COUNTS_FOR };
        elapsed.saturating_sub(self.at) < limit
    }
}
