//! A client of Azure whose caller may crash.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_arm::{
    Arm, Backup, BackupBody, BackupSecrets, Discovered, FoundSchedule, Operation, Permissions, Progress,
    RestoreBody, ScheduleBody, SiteList, Started, Subscription,
};
use holdfast_model::{AppId, BackupId, Site, SubscriptionId};
use secrecy::SecretString;

use super::injector::Faulty;

#[async_trait]
impl Arm for Faulty<Arc<dyn Arm>> {
    async fn subscriptions(&self) -> Result<Vec<Subscription>, holdfast_arm::Error> {
        self.around(self.inner.subscriptions()).await
    }

    async fn sites(&self, subscription: &SubscriptionId) -> Result<SiteList, holdfast_arm::Error> {
        self.around(self.inner.sites(subscription)).await
    }

    async fn slots(&self, app: &AppId) -> Result<SiteList, holdfast_arm::Error> {
        self.around(self.inner.slots(app)).await
    }

    async fn site(&self, app: &AppId) -> Result<Site, holdfast_arm::Error> {
        self.around(self.inner.site(app)).await
    }

    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, holdfast_arm::Error> {
        // No fault point before a mutating request: a worker cannot detect a stall between its last check and the send.
        let answer = self.inner.backup(app, request).await;
        self.injector.await_point().await;
        answer
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, holdfast_arm::Error> {
        self.around(async {
            self.injector.read_is_refused(Operation::GetBackup, app)?;
            self.inner.get_backup(app, id).await
        })
        .await
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, holdfast_arm::Error> {
        self.around(async {
            self.injector.read_is_refused(Operation::ListBackups, app)?;
            self.inner.list_backups(app).await
        })
        .await
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, holdfast_arm::Error> {
        self.around(async {
            self.injector.read_is_refused(Operation::ListSiteBackups, app)?;
            self.inner.list_site_backups(app).await
        })
        .await
    }

    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, holdfast_arm::Error> {
        let answer = self.inner.delete_backup(app, id).await;
        self.injector.await_point().await;
        answer
    }

    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, holdfast_arm::Error> {
        self.around(self.inner.backup_secrets(app, id, replace)).await
    }

    async fn restore(
        &self,
        app: &AppId,
        id: BackupId,
        request: &RestoreBody,
    ) -> Result<Started, holdfast_arm::Error> {
        let answer = self.inner.restore(app, id, request).await;
        self.injector.await_point().await;
        answer
    }

    async fn restore_from_blob(
        &self,
        app: &AppId,
        request: &RestoreBody,
    ) -> Result<Started, holdfast_arm::Error> {
        let answer = self.inner.restore_from_blob(app, request).await;
        self.injector.await_point().await;
        answer
    }

    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, holdfast_arm::Error> {
        self.around(self.inner.discover(app, request)).await
    }

    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, holdfast_arm::Error> {
        self.around(async {
            self.injector.read_is_refused(Operation::GetOperation, app)?;
            self.injector.told_as_500(app, self.inner.operation(app, operation).await?)
        })
        .await
    }

    async fn permissions(&self, app: &AppId) -> Result<Permissions, holdfast_arm::Error> {
        self.around(self.inner.permissions(app)).await
    }

    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, holdfast_arm::Error> {
        self.around(async {
            self.injector.read_is_refused(Operation::GetSchedule, app)?;
            self.inner.schedule(app).await
        })
        .await
    }

    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), holdfast_arm::Error> {
        let answer = self.inner.put_schedule(app, request).await;
        self.injector.await_point().await;
        answer
    }

    async fn delete_schedule(&self, app: &AppId) -> Result<(), holdfast_arm::Error> {
        let answer = self.inner.delete_schedule(app).await;
        self.injector.await_point().await;
        answer
    }
}
