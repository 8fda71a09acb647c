//! The checks of a fleet, in the order in which they are reported.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;
use holdfast_arm::Arm;
use holdfast_config::Fleet;
use holdfast_model::{App, Clock, StorageName, SubscriptionId};
use holdfast_storage::{Storage, Tokens};

use super::app::AppFacts;
use super::finding::{Finding, FindingSeverity};
use super::{scratch_apps, storages, summary};
use crate::error::Error;
use crate::storages::sample;
use crate::{app_names, discovery};

/// Maximum number of apps of one subscription checked concurrently.
const APPS_AT_ONCE: usize = 4;

/// Maximum number of subscriptions whose apps are checked concurrently. Each has its own request budget, so that one
/// after the other would take as many times as long.
const SUBSCRIPTIONS_AT_ONCE: usize = 16;

/// What the checks of a fleet use.
pub struct Doctor<'a> {
    /// The fleet file.
    pub fleet: &'a Fleet,
    /// The client of ARM.
    pub arm: Arc<dyn Arm>,
    /// SAS and containers.
    pub storage: Arc<dyn Storage>,
    /// One for each `[azure]` section.
    pub credentials: Vec<Credential>,
    /// The clock of this machine.
    pub clock: Arc<dyn Clock>,
    /// Called with how many apps are checked, and how many there are.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

/// The credential of one `[azure]` section.
pub struct Credential {
    /// The section, such as `azure.contoso`.
    pub section: String,
    /// The scope of ARM's tokens there.
    pub scope: String,
    /// Where its tokens come from.
    pub tokens: Arc<dyn Tokens>,
}

impl Doctor<'_> {
    /// Checks the whole fleet, and reports of its apps only what is wrong.
    ///
    /// `backends` are the findings about the store and the broker.
    pub async fn check_fleet(&self, backends: Vec<Finding>) -> Vec<Finding> {
        let (mut findings, apps) = self.credentials_and_apps().await;
        findings.extend(self.check_storages(self.fleet.backup_storages(), &apps).await);
        findings.extend(storages::shared(self.fleet, &apps));
        findings.extend(backends);
        findings.extend(scratch_apps::check(self.fleet, &*self.arm, &apps).await);
        findings.extend(summary::of_apps(self.check_apps(apps).await));
        findings
    }

    /// Checks one app and what it depends on, and reports every check of it.
    pub async fn check_app(&self, name: &str) -> Result<Vec<Finding>, Error> {
        let (mut findings, apps) = self.credentials_and_apps().await;
        let ids: Vec<_> = apps.iter().map(|app| app.id.clone()).collect();
        let id = app_names::app(&ids, name)?;
        let app: Vec<App> = apps.into_iter().filter(|app| app.id == id).collect();
        let policies = app.iter().filter_map(|app| self.fleet.policies.get(app.policy.as_ref()?));
        let storages = policies.map(|policy| &policy.policy_snapshot.storage);
        findings.extend(self.check_storages(storages, &app).await);
        findings.extend(self.check_apps(app).await);
        Ok(findings)
    }

    /// The findings about credentials and subscriptions, and the fleet as Azure lists it now.
    async fn credentials_and_apps(&self) -> (Vec<Finding>, Vec<App>) {
        let mut findings = Vec::new();
        for credential in &self.credentials {
            findings.push(credential.check().await);
        }
        // Without a token no subscription answers: only the cause is reported.
        let has_token = findings.iter().all(|finding| finding.severity == FindingSeverity::Ok);
        let mut sites = Vec::new();
        for subscription in self.fleet.subscriptions() {
            match discovery::sites(&self.arm, self.fleet, &subscription).await {
                Ok(found) => {
                    let ids = found.list.left_out.iter();
                    findings.extend(ids.map(|id| left_out(subscription.as_str(), id)));
                    findings.extend(found.without_slots.iter().map(|(app, error)| {
                        let cure = "check the credential's role on the app";
                        Finding::fail("slots", app.short_name(), error.to_string(), cure)
                    }));
                    sites.extend(found.list.sites);
                }
                Err(error) if has_token => findings.push(Finding::fail(
                    "subscription",
                    subscription.as_str(),
                    error.to_string(),
                    "check the credential's role on the subscription, and the network",
                )),
                Err(_) => {}
            }
        }
        (findings, self.fleet.apps_with(&sites))
    }

    async fn check_storages(&self, names: impl Iterator<Item = &StorageName>, apps: &[App]) -> Vec<Finding> {
        let names: Vec<StorageName> = names.map(|name| sample(self.fleet, name, apps)).collect();
        storages::check(names.iter(), self.fleet, &*self.storage, &*self.clock).await
    }

    async fn check_apps(&self, apps: Vec<App>) -> Vec<Finding> {
        let facts = self.gather(apps).await;
        let now = self.clock.now();
        let check = |facts: &AppFacts| {
            let policy = facts.app.policy.as_ref().and_then(|name| self.fleet.policies.get(name));
            facts.check(policy, now)
        };
        facts.iter().flat_map(check).collect()
    }

    /// Asks Azure about the apps, all subscriptions side by side. The facts are in the order of the apps' names.
    async fn gather(&self, apps: Vec<App>) -> Vec<AppFacts> {
        let (total, done) = (apps.len(), AtomicUsize::new(0));
        (self.progress)(0, total);
        let mut by_subscription: BTreeMap<SubscriptionId, Vec<App>> = BTreeMap::new();
        for app in apps {
            by_subscription.entry(app.id.subscription().clone()).or_default().push(app);
        }
        let one = async |app| {
            let facts = AppFacts::gather(&*self.arm, app).await;
            (self.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            facts
        };
        let of_subscription = |apps: Vec<App>| {
            futures::stream::iter(apps).map(one).buffer_unordered(APPS_AT_ONCE).collect::<Vec<_>>()
        };
        let gathered = futures::stream::iter(by_subscription.into_values()).map(of_subscription);
        let gathered: Vec<Vec<AppFacts>> = gathered.buffer_unordered(SUBSCRIPTIONS_AT_ONCE).collect().await;
        let mut facts: Vec<AppFacts> = gathered.into_iter().flatten().collect();
        facts.sort_by_cached_key(|facts| (facts.app.id.short_name(), facts.app.id.clone()));
        facts
    }
}

/// A listed resource that no app can be made of.
fn left_out(subscription: &str, id: &str) -> Finding {
    let says = format!("azure lists a resource whose id is not an app's: {id}");
    Finding::warn("subscription", subscription, says, "it is not backed up; report the id, or move the app")
}

impl Credential {
    async fn check(&self) -> Finding {
        let section = format!("[{}]", self.section);
        match self.tokens.token(&self.scope).await {
            Ok(_) => Finding::ok("credential", section, "gets a token"),
            Err(error) => {
                Finding::fail("credential", section, error.to_string(), "check `credential` and the network")
            }
        }
    }
}

/// The finding where the secret of a credential cannot be read.
pub fn unreadable_credential(error: impl Into<String>) -> Finding {
    Finding::fail("credential", "[azure]", error, "make its secret readable here")
}
