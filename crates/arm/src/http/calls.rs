//! Each call as one method, one URL and one body.

use async_trait::async_trait;
use holdfast_model::{AppId, BackupId, Site, SubscriptionId};
use reqwest::Method;
use secrecy::SecretString;

use crate::answer::is_operation;
use crate::{
    Arm, Backup, BackupBody, BackupSecrets, Discovered, Error, ErrorKind, FoundSchedule, HttpArm, Operation,
    Permissions, Progress, RestoreBody, ScheduleBody, Started, Target, backup_body, discover_body,
    restore_body, schedule_body, secrets_body,
};

#[async_trait]
impl Arm for HttpArm {
    async fn sites(&self, subscription: &SubscriptionId) -> Result<Vec<Site>, Error> {
        let path = ["subscriptions", subscription.as_str(), "providers", "Microsoft.Web", "sites"];
        let target = Target::subscription(Operation::ListSites, subscription);
        self.list(&target, Method::GET, self.url(&path), |answer| answer.sites(&target, self.clock.now()))
            .await
    }

    async fn slots(&self, app: &AppId) -> Result<Vec<Site>, Error> {
        let target = Target::app(Operation::ListSlots, app);
        let url = self.app_url(app, &["slots"]);
        self.list(&target, Method::GET, url, |answer| answer.sites(&target, self.clock.now())).await
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        let target = Target::app(Operation::GetSite, app);
        let answer = self.call(&target, Method::GET, self.app_url(app, &[]), None).await?;
        answer.site(&target, self.clock.now())
    }

    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, Error> {
        let target = Target::app(Operation::Backup, app);
        let body = backup_body(request, &self.settings.api_version);
        let answer = self.call(&target, Method::POST, self.app_url(app, &["backup"]), Some(body)).await?;
        answer.backup(&target, self.clock.now())
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error> {
        let target = Target::backup(Operation::GetBackup, app, id);
        let url = self.app_url(app, &["backups", &id.to_string()]);
        let answer = self.call(&target, Method::GET, url, None).await?;
        answer.backup(&target, self.clock.now())
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        let target = Target::app(Operation::ListBackups, app);
        let url = self.app_url(app, &["backups"]);
        self.list(&target, Method::GET, url, |answer| answer.backups(&target, self.clock.now())).await
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        let target = Target::app(Operation::ListSiteBackups, app);
        let url = self.app_url(app, &["listbackups"]);
        self.list(&target, Method::POST, url, |answer| answer.backups(&target, self.clock.now())).await
    }

    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, Error> {
        let target = Target::backup(Operation::DeleteBackup, app, id);
        let url = self.app_url(app, &["backups", &id.to_string()]);
        let answer = self.call(&target, Method::DELETE, url, None).await?;
        answer.deleted(&target, self.clock.now())
    }

    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error> {
        let target = Target::backup(Operation::BackupSecrets, app, id);
        let url = self.app_url(app, &["backups", &id.to_string(), "list"]);
        let answer = self.call(&target, Method::POST, url, Some(secrets_body(replace))).await?;
        answer.backup_secrets(&target, self.clock.now())
    }

    async fn restore(&self, app: &AppId, id: BackupId, request: &RestoreBody) -> Result<Started, Error> {
        let target = Target::backup(Operation::Restore, app, id);
        let url = self.app_url(app, &["backups", &id.to_string(), "restore"]);
        let answer = self.call(&target, Method::POST, url, Some(restore_body(request))).await?;
        answer.started(&target, self.clock.now())
    }

    async fn restore_from_blob(&self, app: &AppId, request: &RestoreBody) -> Result<Started, Error> {
        let target = Target::app(Operation::RestoreFromBlob, app);
        let url = self.app_url(app, &["restoreFromBackupBlob"]);
        let answer = self.call(&target, Method::POST, url, Some(restore_body(request))).await?;
        answer.started(&target, self.clock.now())
    }

    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, Error> {
        let target = Target::app(Operation::Discover, app);
        let (method, url) = if self.settings.api_version.as_str() < "2018" {
            (Method::PUT, self.app_url(app, &["backups", "discover"]))
        } else {
            (Method::POST, self.app_url(app, &["discoverbackup"]))
        };
        let answer = self.call(&target, method, url, Some(discover_body(request))).await?;
        answer.discovered(&target, self.clock.now())
    }

    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, Error> {
        let target = Target::app(Operation::GetOperation, app);
        let mut url = self.settings.endpoint.clone();
        url.set_path(operation);
        // As it will be sent, with its dots resolved.
        if !is_operation(url.path(), &target) {
            return Err(target.error(ErrorKind::Rejected, "the path leads out of the subscription"));
        }
        let answer = self.call(&target, Method::GET, self.versioned(url), None).await?;
        answer.progress(&target, self.clock.now())
    }

    async fn permissions(&self, app: &AppId) -> Result<Permissions, Error> {
        let target = Target::app(Operation::GetPermissions, app);
        let url = self.permissions_url(app);
        let answer = self.call(&target, Method::GET, url, None).await?;
        answer.permissions(&target, self.clock.now())
    }

    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, Error> {
        let target = Target::app(Operation::GetSchedule, app);
        let url = self.app_url(app, &["config", "backup", "list"]);
        let answer = self.call(&target, Method::POST, url, None).await?;
        answer.schedule(&target, self.clock.now())
    }

    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), Error> {
        let target = Target::app(Operation::PutSchedule, app);
        let url = self.app_url(app, &["config", "backup"]);
        let answer = self.call(&target, Method::PUT, url, Some(schedule_body(request))).await?;
        answer.done(&target, self.clock.now())
    }

    async fn delete_schedule(&self, app: &AppId) -> Result<(), Error> {
        let target = Target::app(Operation::DeleteSchedule, app);
        let url = self.app_url(app, &["config", "backup"]);
        let answer = self.call(&target, Method::DELETE, url, None).await?;
        answer.done(&target, self.clock.now())
    }
}
