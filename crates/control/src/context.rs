//! The context of a request: the fleet, the store, Azure and its storage at one moment.

use std::sync::Arc;

use holdfast_arm::Arm;
use holdfast_config::{Cloud, Fleet};
use holdfast_model::{Actor, App, PolicySnapshot, StorageName, SubscriptionId, Timestamp};
use holdfast_storage::{Need, SasHealth, Storage};
use holdfast_store::Store;

use crate::app_resolver::AppResolver;
use crate::error::{Error, ErrorKind};
use crate::notify::Notify;
use crate::storages::{storage_accounts, storage_named, storage_names};

/// The fleet, the store, Azure and its storage at one moment.
pub struct ControlContext<'a> {
    /// The fleet file.
    pub fleet: &'a Fleet,
    /// The store.
    pub store: &'a dyn Store,
    /// The client of ARM.
    pub arm: Arc<dyn Arm>,
    /// The SAS and containers of the storages.
    pub storage: Arc<dyn Storage>,
    /// The store's time.
    pub now: Timestamp,
    /// Who asks, for the audit.
    pub actor: Actor,
    /// Receives warnings.
    pub notify: Notify,
}

impl ControlContext<'_> {
    /// Resolves the names of apps.
    pub fn apps(&self) -> AppResolver<'_> {
        let Self { fleet, store, arm, notify, .. } = self;
        AppResolver { fleet, store: *store, arm, notify }
    }

    /// The app that `text` names, even if it is no longer in the fleet; see [`AppResolver::any`].
    pub async fn app(&self, text: &str) -> Result<App, Error> {
        self.apps().any(text).await
    }

    /// An error unless a credential of the fleet file serves the subscription.
    pub fn is_served(&self, subscription: &SubscriptionId) -> Result<(), Error> {
        let serves =
            |cloud: &Cloud| cloud.subscriptions.is_empty() || cloud.subscriptions.contains(subscription);
        if self.fleet.clouds.iter().any(serves) {
            return Ok(());
        }
        let what = format!("no [azure] section serves the subscription {subscription}");
        Err(Error::new(ErrorKind::Invalid, what).help("add it to the `subscriptions` of one"))
    }

    /// The policy snapshot of a run about backups of `app` in `storage`.
    ///
    /// It is the snapshot of the app's policy, but for the storage: the policy may have moved since the backup was taken.
    pub fn policy_snapshot(&self, app: &App, storage: Option<&StorageName>) -> Result<PolicySnapshot, Error> {
        let policy = app.policy.as_ref().and_then(|name| self.fleet.policies.get(name));
        let only = || {
            let mut names = self.fleet.backup_storages();
            names.next().filter(|_| names.next().is_none())
        };
        let name = storage.or(policy.map(|policy| &policy.policy_snapshot.storage)).or_else(only);
        let Some(name) = name.cloned() else {
            let what = format!("nothing says which storage holds the backups of {}", app.id.short_name());
            return Err(Error::new(ErrorKind::Invalid, what)
                .help(format!("name one with --storage: {}", storage_names(self.fleet))));
        };
        let name = self.fleet.as_policies_name(&name).for_app(&app.id);
        let account = storage_named(self.fleet, &name)?.container.account();
        Ok(match policy {
            Some(policy) => storage_accounts(self.fleet).snapshot_for(policy, &name),
            None => PolicySnapshot::new(name, account),
        })
    }

    /// Checks a SAS of the storage for a run under this policy snapshot.
    pub async fn health(
        &self,
        policy_snapshot: &PolicySnapshot,
    ) -> Result<SasHealth, holdfast_storage::Error> {
        self.storage.sas_health(&policy_snapshot.storage, &self.need(policy_snapshot)).await
    }

    /// What a run under this policy snapshot needs of a SAS.
    pub fn need(&self, policy_snapshot: &PolicySnapshot) -> Need {
        let until = self.now + policy_snapshot.deadline;
        Need { now: self.now, until, replace: None, reason: None, probe: policy_snapshot.verify }
    }
}
