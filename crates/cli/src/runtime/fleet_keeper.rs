//! Keeps the fleet up to date: what the file names, and what Azure lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::Arm;
use holdfast_model::{App, AppId, Site, SubscriptionId};
use holdfast_scheduler::FleetSnapshot;
use holdfast_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use holdfast_config::Fleet;
use holdfast_control::discovery;

/// How often Azure is asked for its apps: a new app is backed up from the day it is tagged.
const LOOK_EVERY: Duration = Duration::from_mins(15);
/// How soon a subscription that did not answer is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Asks Azure for its apps and tells the planner what the fleet is.
pub struct FleetKeeper {
    file: Fleet,
    arm: Arc<dyn Arm>,
    store: Arc<dyn Store>,
    known: BTreeMap<SubscriptionId, Vec<Site>>,
    unanswered: BTreeSet<SubscriptionId>,
    tell: watch::Sender<Arc<FleetSnapshot>>,
}

impl FleetKeeper {
    /// A keeper, and where the fleet can be seen. It is empty until the first [`look`](Self::look).
    pub fn new(
        file: Fleet,
        arm: Arc<dyn Arm>,
        store: Arc<dyn Store>,
    ) -> (Self, watch::Receiver<Arc<FleetSnapshot>>) {
        let (tell, seen) = watch::channel(Arc::default());
        (Self { file, arm, store, known: BTreeMap::new(), unanswered: BTreeSet::new(), tell }, seen)
    }

    /// Looks again and again until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let pause = if self.unanswered.is_empty() { LOOK_EVERY } else { ASK_AGAIN_AFTER };
            if tokio::time::timeout(pause, stop.cancelled()).await.is_ok() {
                return;
            }
            self.look().await;
        }
    }

    /// One look at every subscription of the file.
    pub async fn look(&mut self) {
        self.unanswered.clear();
        for subscription in self.file.subscriptions() {
            match discovery::sites(&self.arm, &self.file, &subscription).await {
                Ok(sites) => {
                    self.known.insert(subscription, sites);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the apps of subscription {subscription} cannot be listed");
                    self.unanswered.insert(subscription);
                }
            }
        }
        let sites: Vec<Site> = self.known.values().flatten().cloned().collect();
        let mut apps: BTreeMap<AppId, App> =
            self.file.apps_with(&sites).into_iter().map(|app| (app.id.clone(), app)).collect();
        for app in self.remembered().await {
            apps.entry(app.id.clone()).or_insert(app);
        }
        let count = apps.len();
        self.tell.send_if_modified(|current| {
            let storages = self.file.storages.iter();
            let fleet = FleetSnapshot {
                apps,
                policies: self.file.policies.clone(),
                accounts: storages.map(|(name, target)| (name.clone(), target.container.account())).collect(),
            };
            let changed = **current != fleet;
            *current = Arc::new(fleet);
            changed
        });
        tracing::info!(apps = count, unanswered = self.unanswered.len(), "the fleet is known");
    }

    /// Apps that the store knows in subscriptions that never answered since this process began. They are not gone:
    /// leaving them out would end their schedules.
    async fn remembered(&self) -> Vec<App> {
        let silent = |id: &AppId| {
            self.unanswered.contains(id.subscription()) && !self.known.contains_key(id.subscription())
        };
        let discovering: BTreeSet<_> = self.file.discover.iter().map(|rule| &rule.policy).collect();
        let apps = match self.store.status().await {
            Ok(apps) => apps,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the store does not tell its apps");
                return Vec::new();
            }
        };
        let kept = apps.into_iter().filter(|app| !app.removed && silent(&app.app));
        kept.filter(|app| app.policy.as_ref().is_none_or(|policy| discovering.contains(policy)))
            .map(|app| App { policy: app.policy, ..App::new(app.app) })
            .collect()
    }
}
