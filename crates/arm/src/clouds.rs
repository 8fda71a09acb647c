//! Several credentials, each for its subscriptions.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{AppId, BackupId, Site, SubscriptionId};
use secrecy::SecretString;

use crate::{
    Arm, Backup, BackupBody, BackupSecrets, Discovered, Error, ErrorKind, FoundSchedule, Operation,
    Permissions, Progress, RestoreBody, ScheduleBody, SiteList, Started, Subscription, tenant_budget,
};

/// The sections `[azure.…]` of a fleet file as one [`Arm`].
pub struct Clouds {
    /// The client of each subscription.
    pub by_subscription: BTreeMap<SubscriptionId, Arc<dyn Arm>>,
    /// The client for all others, as in a fleet file with a single `[azure]`.
    pub otherwise: Option<Arc<dyn Arm>>,
}

impl Clouds {
    fn of(&self, operation: Operation, subscription: &SubscriptionId) -> Result<&dyn Arm, Error> {
        let found = self.by_subscription.get(subscription).or(self.otherwise.as_ref());
        found.map(AsRef::as_ref).ok_or_else(|| {
            let target = format!("subscription {subscription}");
            Error::new(operation, target, ErrorKind::Rejected, "no credential serves this subscription")
        })
    }
}

#[async_trait]
impl Arm for Clouds {
    /// A credential that names its subscriptions is not asked for others.
    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        self.of(Operation::ListSubscriptions, &tenant_budget())?.subscriptions().await
    }

    async fn sites(&self, subscription: &SubscriptionId) -> Result<SiteList, Error> {
        self.of(Operation::ListSites, subscription)?.sites(subscription).await
    }

    async fn slots(&self, app: &AppId) -> Result<SiteList, Error> {
        self.of(Operation::ListSlots, app.subscription())?.slots(app).await
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        self.of(Operation::GetSite, app.subscription())?.site(app).await
    }

    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, Error> {
        self.of(Operation::Backup, app.subscription())?.backup(app, request).await
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error> {
        self.of(Operation::GetBackup, app.subscription())?.get_backup(app, id).await
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        self.of(Operation::ListBackups, app.subscription())?.list_backups(app).await
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        self.of(Operation::ListSiteBackups, app.subscription())?.list_site_backups(app).await
    }

    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, Error> {
        self.of(Operation::DeleteBackup, app.subscription())?.delete_backup(app, id).await
    }

    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error> {
        self.of(Operation::BackupSecrets, app.subscription())?.backup_secrets(app, id, replace).await
    }

    async fn restore(&self, app: &AppId, id: BackupId, request: &RestoreBody) -> Result<Started, Error> {
        self.of(Operation::Restore, app.subscription())?.restore(app, id, request).await
    }

    async fn restore_from_blob(&self, app: &AppId, request: &RestoreBody) -> Result<Started, Error> {
        self.of(Operation::RestoreFromBlob, app.subscription())?.restore_from_blob(app, request).await
    }

    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, Error> {
        self.of(Operation::Discover, app.subscription())?.discover(app, request).await
    }

    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, Error> {
        self.of(Operation::GetOperation, app.subscription())?.operation(app, operation).await
    }

    async fn permissions(&self, app: &AppId) -> Result<Permissions, Error> {
        self.of(Operation::GetPermissions, app.subscription())?.permissions(app).await
    }

    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, Error> {
        self.of(Operation::GetSchedule, app.subscription())?.schedule(app).await
    }

    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), Error> {
        self.of(Operation::PutSchedule, app.subscription())?.put_schedule(app, request).await
    }

    async fn delete_schedule(&self, app: &AppId) -> Result<(), Error> {
        self.of(Operation::DeleteSchedule, app.subscription())?.delete_schedule(app).await
    }
}
