//! What the plans of one request share: the apps as Azure and the store have them, and the SAS that were checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{App, PolicySnapshot, StorageName};
use holdfast_storage::SasHealth;
use tokio::sync::{Mutex, OnceCell};

use crate::app_resolver::KnownApps;
use crate::{ControlContext, Error};

/// What makes the needs of two runs of a SAS the same: the storage, how long it is used, and whether a write tries it.
type Need = (StorageName, Duration, bool);

/// What the plans of one request share.
pub(super) struct PlanContext<'a> {
    /// The context of the request.
    pub control: &'a ControlContext<'a>,
    /// The apps.
    pub apps: KnownApps,
    checked: Mutex<BTreeMap<Need, Arc<OnceCell<Arc<SasHealth>>>>>,
}

impl<'a> PlanContext<'a> {
    /// Asks Azure and the store for the apps.
    pub async fn new(control: &'a ControlContext<'_>) -> Result<Self, Error> {
        Ok(Self { control, apps: control.apps().known().await?, checked: Mutex::default() })
    }

    /// The app that `text` names, even if it is no longer in the fleet.
    pub async fn app(&self, text: &str) -> Result<App, Error> {
        self.control.apps().any_of(&self.apps, text).await
    }

    /// The SAS that a run under this policy snapshot gets. Each storage is asked once.
    pub async fn health(&self, policy_snapshot: &PolicySnapshot) -> Result<Arc<SasHealth>, Error> {
        let PolicySnapshot { storage, deadline, verify, .. } = policy_snapshot;
        let need = (storage.clone(), *deadline, *verify);
        let cell = Arc::clone(self.checked.lock().await.entry(need).or_default());
        let check = async || Ok::<_, Error>(Arc::new(self.control.health(policy_snapshot).await?));
        cell.get_or_try_init(check).await.cloned()
    }
}
