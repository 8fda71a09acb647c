//! Keeps the planners' fleet up to date with the fleet file and Azure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::Arm;
use holdfast_config::Fleet;
use holdfast_control::{discovery, storage_accounts};
use holdfast_model::{App, AppId, Site, SubscriptionId};
use holdfast_scheduler::FleetSnapshot;
use holdfast_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often Azure is asked for its apps.
const REFRESH_INTERVAL: Duration = Duration::from_mins(15);
/// How soon Azure is asked again when a subscription did not answer.
const RETRY_INTERVAL: Duration = Duration::from_mins(1);

/// Asks Azure for its apps, and publishes the fleet to the planners.
pub struct FleetKeeper {
    file: Fleet,
    arm: Arc<dyn Arm>,
    store: Arc<dyn Store>,
    sites: BTreeMap<SubscriptionId, Vec<Site>>,
    unanswered: BTreeSet<SubscriptionId>,
    sender: watch::Sender<Arc<FleetSnapshot>>,
}

impl FleetKeeper {
    /// A keeper, and the receiver of its fleet, which is empty until the first [`refresh`](Self::refresh).
    pub fn new(
        file: Fleet,
        arm: Arc<dyn Arm>,
        store: Arc<dyn Store>,
    ) -> (Self, watch::Receiver<Arc<FleetSnapshot>>) {
        let (sender, receiver) = watch::channel(Arc::default());
        (Self { file, arm, store, sites: BTreeMap::new(), unanswered: BTreeSet::new(), sender }, receiver)
    }

    /// Refreshes the fleet at intervals until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let pause = if self.unanswered.is_empty() { REFRESH_INTERVAL } else { RETRY_INTERVAL };
            if tokio::time::timeout(pause, stop.cancelled()).await.is_ok() {
                return;
            }
            self.refresh().await;
        }
    }

    /// Asks every subscription once, and publishes the fleet.
    pub async fn refresh(&mut self) {
        self.unanswered.clear();
        for subscription in self.file.subscriptions() {
            match discovery::sites(&self.arm, &self.file, &subscription).await {
                Ok(sites) => {
                    self.sites.insert(subscription, sites);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the apps of subscription {subscription} cannot be listed");
                    self.unanswered.insert(subscription);
                }
            }
        }
        let sites: Vec<Site> = self.sites.values().flatten().cloned().collect();
        let mut apps: BTreeMap<AppId, App> =
            self.file.apps_with(&sites).into_iter().map(|app| (app.id.clone(), app)).collect();
        for app in self.unanswered_apps().await {
            apps.entry(app.id.clone()).or_insert(app);
        }
        let unsupported = sites.iter().filter(|site| site.why_unsupported().is_some());
        let unsupported: BTreeSet<AppId> = unsupported.map(|site| site.id.clone()).collect();
        let count = apps.len();
        self.sender.send_if_modified(|current| {
            let fleet = FleetSnapshot {
                apps,
                policies: self.file.policies.clone(),
                accounts: storage_accounts(&self.file),
                unsupported,
            };
            let changed = **current != fleet;
            *current = Arc::new(fleet);
            changed
        });
        tracing::info!(apps = count, unanswered = self.unanswered.len(), "the fleet is known");
    }

    /// The store's apps in subscriptions that have not answered since this process started.
    ///
    /// They may still exist: leaving them out would end their schedules.
    async fn unanswered_apps(&self) -> Vec<App> {
        let silent = |id: &AppId| {
            self.unanswered.contains(id.subscription()) && !self.sites.contains_key(id.subscription())
        };
        let discovering: BTreeSet<_> = self.file.discover.iter().map(|rule| &rule.policy).collect();
        let apps = match self.store.status().await {
            Ok(apps) => apps,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the store's apps cannot be read");
                return Vec::new();
            }
        };
        let kept = apps.into_iter().filter(|app| !app.removed && silent(&app.app));
        kept.filter(|app| app.policy.as_ref().is_none_or(|policy| discovering.contains(policy)))
            .map(|app| App { policy: app.policy, ..App::new(app.app) })
            .collect()
    }
}
