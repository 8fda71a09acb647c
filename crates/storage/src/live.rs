//! The real storage, asked over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Clock, RefreshReason, SasRefresh, StorageName, Timestamp};
use reqwest::Client;
use tokio::sync::Mutex;

use crate::judge::{Judgement, judge};
use crate::probe::{Probed, probe};
use crate::storage::{BlobFacts, Grant, Need, Storage};
use crate::supply::{Access, StorageTarget, Supply};
use crate::{Container, Error, ErrorKind, Refusal, Sas, SasHealth, blob, http};

/// The storages of a fleet file, over HTTP.
#[derive(Debug)]
pub struct LiveStorage {
    places: BTreeMap<StorageName, Place>,
    client: Client,
    clock: Arc<dyn Clock>,
}

/// A SAS that storage took is not tried again for this long.
const GOOD_FOR: Duration = Duration::from_mins(10);

/// A refusal is repeated to the callers of this span without asking again: when a storage is down, a whole fleet asks.
const BAD_FOR: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Place {
    supply: Supply,
    /// Held while a SAS is replaced, so that those who need a new one at the same moment get the same one.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    current: Option<Arc<Sas>>,
    /// By fingerprint; only those that may still be relied on.
    trials: BTreeMap<String, Trial>,
    rng: fastrand::Rng,
}

/// What storage said to a SAS, and when.
#[derive(Debug)]
struct Trial {
    at: Duration,
    result: Result<(), Refusal>,
}

enum AtHand {
    Good(Arc<Sas>),
    Replace(RefreshReason),
}

impl LiveStorage {
    /// The storages of `targets`, each with what opens it. `rng` only tells test blobs of different processes apart.
    pub fn new(
        targets: BTreeMap<StorageName, (StorageTarget, Access)>,
        clock: Arc<dyn Clock>,
        mut rng: fastrand::Rng,
    ) -> Result<Self, Error> {
        let client = http::client()?;
        let place = |(name, (target, access)): (StorageName, (StorageTarget, Access))| {
            let state = State { current: None, trials: BTreeMap::new(), rng: rng.fork() };
            let supply = Supply::new(name.clone(), target, access, client.clone());
            (name, Place { supply, state: Mutex::new(state) })
        };
        Ok(Self { places: targets.into_iter().map(place).collect(), client, clock })
    }

    fn find(&self, storage: &StorageName) -> Result<&Place, Error> {
        self.places.get(storage).ok_or_else(|| Error::FindStorage { storage: storage.clone() })
    }

    /// The SAS at hand when it will do, or why it will not.
    async fn at_hand(&self, place: &Place, state: &mut State, need: &Need) -> Result<AtHand, Error> {
        if let Some(reason) = need.reason {
            return Ok(AtHand::Replace(reason));
        }
        let Some(sas) = state.current.clone() else { return Ok(AtHand::Replace(RefreshReason::First)) };
        if need.replace.as_deref() == Some(sas.fingerprint()) {
            return Ok(AtHand::Replace(RefreshReason::Refused));
        }
        if !place.judge(&sas, need).faults.is_empty() {
            return Ok(AtHand::Replace(RefreshReason::Expiring));
        }
        match self.try_out(place, state, &sas, need).await {
            Ok(()) => Ok(AtHand::Good(sas)),
            // It was good before. Perhaps the key was rotated, and the source knows a newer one.
            Err(error) if error.kind() == ErrorKind::Unusable => Ok(AtHand::Replace(RefreshReason::Refused)),
            Err(error) => Err(error),
        }
    }

    /// Takes another SAS into use, unless its source has none that will do.
    async fn replace(
        &self,
        place: &Place,
        state: &mut State,
        need: &Need,
        reason: RefreshReason,
    ) -> Result<(Arc<Sas>, Option<SasRefresh>), Error> {
        let Supply { name, target, .. } = &place.supply;
        if reason == RefreshReason::Refused || need.replace.is_some() {
            place.supply.forget_key(need.now).await;
        }
        let sas = Arc::new(place.supply.for_backup(need).await?);
        let faults = place.judge(&sas, need).faults;
        if !faults.is_empty() {
            let (origin, cure) = (target.source.origin(), target.source.cure());
            return Err(Error::JudgeSas { storage: name.clone(), origin, faults, cure });
        }
        if let Err(error) = self.try_out(place, state, &sas, need).await {
            if error.kind() == ErrorKind::Unusable {
                place.supply.forget_key(need.now).await;
            }
            return Err(error);
        }
        let old = state.current.replace(sas.clone()).map(|old| old.facts());
        // The source may give the one at hand again, when storage refused it for a moment only.
        let is_new = old.as_ref().is_none_or(|old| old.fingerprint != sas.fingerprint());
        let (storage, container) = (name.clone(), target.container.to_string());
        let refresh =
            is_new.then(|| SasRefresh { storage, container, reason, old, new: sas.facts(), backup: None });
        Ok((sas, refresh))
    }

    /// Writes with the SAS, unless it is known how that ends, or storage cannot be reached from here.
    async fn try_out(&self, place: &Place, state: &mut State, sas: &Sas, need: &Need) -> Result<(), Error> {
        if !need.probe {
            return Ok(());
        }
        let fingerprint = sas.fingerprint().to_owned();
        let elapsed = self.clock.elapsed();
        state.trials.retain(|_, trial| trial.holds(elapsed));
        let result = if let Some(trial) = state.trials.get(&fingerprint) {
            trial.result.clone()
        } else {
            let blob_name = state.probe_name(need.now);
            let result = probe(&self.client, place.container(), sas, &blob_name).await.result;
            let trial = Trial { at: self.clock.elapsed(), result: result.clone() };
            state.trials.insert(fingerprint.clone(), trial);
            result
        };
        result.map_err(|cause| Error::ProbeContainer {
            storage: place.supply.name.clone(),
            container: place.container().to_string(),
            fingerprint,
            cause,
        })
    }
}

#[async_trait]
impl Storage for LiveStorage {
    fn container(&self, storage: &StorageName) -> Result<Container, Error> {
        Ok(self.find(storage)?.container().clone())
    }

    async fn grant(&self, storage: &StorageName, need: &Need) -> Result<Grant, Error> {
        let place = self.find(storage)?;
        let mut state = place.state.lock().await;
        // What was refused since it was tried is tried again, for whoever still wants it.
        state.trials.retain(|fingerprint, _| need.replace.as_ref() != Some(fingerprint));
        let (sas, refresh) = match self.at_hand(place, &mut state, need).await? {
            AtHand::Good(sas) => (sas, None),
            AtHand::Replace(reason) => self.replace(place, &mut state, need, reason).await?,
        };
        let warnings = place.judge(&sas, need).warnings;
        Ok(Grant { url: sas.url(place.container()), facts: sas.facts(), refresh, warnings })
    }

    async fn judge(&self, storage: &StorageName, need: &Need) -> Result<SasHealth, Error> {
        let place = self.find(storage)?;
        let StorageTarget { container, source, .. } = &place.supply.target;
        let sas = place.supply.for_backup(need).await?;
        let Judgement { faults, warnings } = place.judge(&sas, need);
        let blob_name = place.state.lock().await.probe_name(need.now);
        let Probed { result, server_time } = probe(&self.client, container, &sas, &blob_name).await;
        Ok(SasHealth {
            container: container.clone(),
            origin: source.origin(),
            facts: sas.facts(),
            faults,
            warnings,
            allows_key: allows_key(&sas, &result),
            probe: result,
            server_time,
        })
    }

    async fn blob(
        &self,
        storage: &StorageName,
        blob_name: &str,
        now: Timestamp,
    ) -> Result<Option<BlobFacts>, Error> {
        let place = self.find(storage)?;
        let sas = place.supply.for_reading(now).await?;
        let container = place.container();
        blob::look(&self.client, container, &sas, blob_name).await.map_err(|cause| Error::ReadBlob {
            storage: storage.clone(),
            container: container.to_string(),
            blob_name: blob_name.to_owned(),
            cause,
        })
    }
}

impl Place {
    fn container(&self) -> &Container {
        &self.supply.target.container
    }

    fn judge(&self, sas: &Sas, need: &Need) -> Judgement {
        judge(sas, need.now, need.until, self.container().url().scheme() == "http")
    }
}

impl State {
    fn probe_name(&mut self, now: Timestamp) -> String {
        format!(".holdfast-probe-{}-{:08x}", now.timestamp_millis(), self.rng.u32(..))
    }
}

/// What an answer to a SAS tells of the account: only a SAS that a key signed is turned away for that.
fn allows_key(sas: &Sas, result: &Result<(), Refusal>) -> Option<bool> {
    match result {
        Ok(()) if !sas.is_delegated => Some(true),
        Err(Refusal::NoKeyAccess { .. }) => Some(false),
        _ => None,
    }
}

impl Trial {
    /// May it still be relied on?
    fn holds(&self, elapsed: Duration) -> bool {
        elapsed.saturating_sub(self.at) < if self.result.is_ok() { GOOD_FOR } else { BAD_FOR }
    }
}
