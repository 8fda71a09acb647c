//! What the plans of one request share: the apps as Azure and the store have them, and the SAS that were checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{App, AppId, BackupId, CatalogEntry, PolicySnapshot, Site, StorageName};
use holdfast_storage::SasHealth;
use holdfast_store::CatalogFilter;
use tokio::sync::{Mutex, OnceCell};

use crate::app_resolver::KnownApps;
use crate::inventory::{KnownBackups, being_deleted};
use crate::{Context as _, ControlContext, Error};

/// What makes the needs of two runs of a SAS the same: the storage, how long it is used, and whether a write tries it.
type Need = (StorageName, Duration, bool);

/// What the plans of one request share.
pub(super) struct PlanContext<'a> {
    /// The context of the request.
    pub control: &'a ControlContext<'a>,
    /// The apps.
    pub apps: KnownApps,
    /// The backups of the apps, where they are read together.
    backups: Option<KnownBackups>,
    sites: Mutex<BTreeMap<AppId, Arc<OnceCell<Option<Site>>>>>,
    checked: Mutex<BTreeMap<Need, Arc<OnceCell<Arc<SasHealth>>>>>,
}

impl<'a> PlanContext<'a> {
    /// Asks Azure and the store for the apps.
    pub async fn new(control: &'a ControlContext<'_>) -> Result<Self, Error> {
        let apps = control.apps().known().await?;
        Ok(Self { control, apps, backups: None, sites: Mutex::default(), checked: Mutex::default() })
    }

    /// Reads the backups of the apps together. Plans are then for the newest backup, or the newest from a time.
    pub async fn with_backups(self, apps: &[AppId]) -> Result<Self, Error> {
        let backups = Some(KnownBackups::of(self.control.store, apps).await?);
        Ok(Self { backups, ..self })
    }

    /// The backups of an app, and those of them that runs delete.
    pub async fn backups(&self, app: &AppId) -> Result<(Vec<CatalogEntry>, BTreeSet<BackupId>), Error> {
        if let Some(backups) = &self.backups {
            return Ok((backups.entries(app).to_vec(), backups.going(app).clone()));
        }
        let filter = CatalogFilter { app: Some(app.clone()), with_removed: true, ..CatalogFilter::default() };
        let store = self.control.store;
        Ok((store.catalog(&filter).await?, being_deleted(store, app).await?))
    }

    /// The app as Azure has it; `None` where it has none. Each is asked for once.
    pub async fn site(&self, app: &AppId) -> Result<Option<Site>, Error> {
        let cell = Arc::clone(self.sites.lock().await.entry(app.clone()).or_default());
        let ask = async || match self.control.arm.site(app).await {
            Ok(site) => Ok(Some(site)),
            Err(error) if *error.kind() == holdfast_arm::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("failed to ask Azure for {}", app.short_name())),
        };
        cell.get_or_try_init(ask).await.cloned()
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
