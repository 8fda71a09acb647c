//! Several credentials: each app is reached through the one that serves its subscription.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{AppId, BackupId, Site, SubscriptionId};

use crate::{Arm, Backup, BackupRequest, Error, Operation, Verdict};

/// The sections `[azure.…]` of a fleet file as one [`Arm`].
pub struct Clouds {
    /// Which client serves which subscription.
    pub by_subscription: BTreeMap<SubscriptionId, Arc<dyn Arm>>,
    /// The client for all others, as in a fleet file with a single `[azure]`.
    pub otherwise: Option<Arc<dyn Arm>>,
}

impl Clouds {
    fn of(&self, operation: Operation, subscription: &SubscriptionId) -> Result<&dyn Arm, Error> {
        let found = self.by_subscription.get(subscription).or(self.otherwise.as_ref());
        found.map(AsRef::as_ref).ok_or_else(|| {
            let target = format!("subscription {subscription}");
            Error::new(operation, target, Verdict::Rejected, "no credential serves this subscription")
        })
    }
}

#[async_trait]
impl Arm for Clouds {
    async fn sites(&self, subscription: &SubscriptionId) -> Result<Vec<Site>, Error> {
        self.of(Operation::ListSites, subscription)?.sites(subscription).await
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        self.of(Operation::GetSite, app.subscription())?.site(app).await
    }

    async fn backup(&self, app: &AppId, request: &BackupRequest) -> Result<Backup, Error> {
        self.of(Operation::Backup, app.subscription())?.backup(app, request).await
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error> {
        self.of(Operation::GetBackup, app.subscription())?.get_backup(app, id).await
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        self.of(Operation::ListBackups, app.subscription())?.list_backups(app).await
    }
}
