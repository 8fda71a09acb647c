//! What commands need that ask Azure and its storage about apps before they do anything.

use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::Arm;
use holdfast_model::{App, PolicySnapshot, StorageName, SubscriptionId, Timestamp};
use holdfast_storage::{Need, SasHealth, Storage, StorageTarget};
use holdfast_store::Store;

use crate::config::{Fleet, nearest};
use crate::context::Context;
use crate::engine::storages;
use crate::exit::{Exit, Failure};
use crate::known;

/// The fleet, the store, Azure and its storage at one moment.
pub struct Desk<'a> {
    /// What every command is given.
    pub context: &'a Context,
    /// The fleet file.
    pub fleet: &'a Fleet,
    /// The truth.
    pub store: &'a dyn Store,
    /// The way to Azure.
    pub arm: Arc<dyn Arm>,
    /// The way to its storage.
    pub storage: Arc<dyn Storage>,
    /// The store's time.
    pub now: Timestamp,
}

impl<'a> Desk<'a> {
    /// Reads the secrets; asks Azure nothing.
    pub async fn new(context: &'a Context, fleet: &'a Fleet, store: &'a dyn Store) -> anyhow::Result<Self> {
        let arm = known::azure(fleet, context)?;
        let storage = storages(fleet, &context.clock, context.rng())?;
        Ok(Self { context, fleet, store, arm, storage, now: store.now().await? })
    }

    /// The app that `text` names: of the fleet, of the store although it is no longer in the fleet, or of Azure alone
    /// by its ARM id.
    pub async fn app(&self, text: &str) -> anyhow::Result<App> {
        let error = match known::app(text, self.fleet, self.store, self.context).await {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        let id = match self.context.app_in(self.store, text).await {
            Ok(id) => id,
            Err(_) => text.parse().map_err(|_| error)?,
        };
        Ok(App::new(id))
    }

    /// An error unless a credential of the fleet file serves the subscription.
    pub fn is_served(&self, subscription: &SubscriptionId) -> Result<(), Failure> {
        let serves = |cloud: &crate::config::Cloud| {
            cloud.subscriptions.is_empty() || cloud.subscriptions.contains(subscription)
        };
        if self.fleet.clouds.iter().any(serves) {
            return Ok(());
        }
        let what = format!("no [azure] section serves the subscription {subscription}");
        Err(Failure::new(Exit::Usage, what).help("add it to the `subscriptions` of one"))
    }

    /// The policy snapshot of a run about backups of `app` that lie in `storage`: those of its policy, where it has one, but for
    /// the storage, which may have been another when the backup was taken.
    pub fn policy_snapshot(
        &self,
        app: &App,
        storage: Option<&StorageName>,
    ) -> Result<PolicySnapshot, Failure> {
        let policy = app.policy.as_ref().and_then(|name| self.fleet.policies.get(name));
        let only = || self.fleet.storages.keys().next().filter(|_| self.fleet.storages.len() == 1);
        let name = storage.or(policy.map(|policy| &policy.policy_snapshot.storage)).or_else(only);
        let Some(name) = name.cloned() else {
            let what = format!("nothing says which storage holds the backups of {}", app.id.short_name());
            return Err(Failure::new(Exit::Usage, what)
                .help(format!("name one with --storage: {}", storage_names(self.fleet))));
        };
        let account = storage_named(self.fleet, &name)?.container.account();
        Ok(match policy {
            Some(policy) => PolicySnapshot { storage: name, account, ..policy.policy_snapshot.clone() },
            None => PolicySnapshot::new(name, account),
        })
    }

    /// How a SAS of the storage does that must last for a run under these policy snapshot.
    pub async fn health(
        &self,
        policy_snapshot: &PolicySnapshot,
    ) -> Result<SasHealth, holdfast_storage::Error> {
        self.storage.sas_health(&policy_snapshot.storage, &self.need(policy_snapshot)).await
    }

    /// What a run under these policy snapshot wants of a SAS.
    pub fn need(&self, policy_snapshot: &PolicySnapshot) -> Need {
        let until = self.now + policy_snapshot.deadline;
        Need { now: self.now, until, replace: None, reason: None, probe: policy_snapshot.verify }
    }
}

/// The storage of this name.
pub fn storage_named<'f>(fleet: &'f Fleet, name: &StorageName) -> Result<&'f StorageTarget, Failure> {
    fleet.storages.get(name).ok_or_else(|| {
        let near = nearest(name.as_str(), fleet.storages.keys().map(StorageName::as_str));
        let help = near.map_or_else(
            || format!("it has these: {}", storage_names(fleet)),
            |near| format!("did you mean `{near}`?"),
        );
        Failure::new(Exit::Usage, format!("there is no storage `{name}` in the fleet file")).help(help)
    })
}

/// The longest that a backup into the storage may run.
pub fn longest(fleet: &Fleet, storage: &StorageName) -> Duration {
    let into = fleet.policies.values().filter(|policy| policy.policy_snapshot.storage == *storage);
    into.map(|policy| policy.policy_snapshot.deadline).max().unwrap_or_default()
}

/// Why a SAS will not do; nothing when it will.
pub fn unfit(health: &SasHealth) -> Vec<String> {
    let mut faults: Vec<String> = health.faults.iter().map(|fault| format!("it {fault}")).collect();
    faults.extend(health.probe.as_ref().err().map(|refusal| format!("a test write failed: {refusal}")));
    faults
}

fn storage_names(fleet: &Fleet) -> String {
    fleet.storages.keys().map(StorageName::as_str).collect::<Vec<_>>().join(", ")
}
