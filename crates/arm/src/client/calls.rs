//! Each call as one method, one URL and one body.

use async_trait::async_trait;
use holdfast_model::{AppId, BackupId, Site, SubscriptionId};
use reqwest::Method;
use secrecy::SecretString;

use super::ArmClient;
use crate::bodies::{backup_body, discover_body, restore_body, schedule_body, secrets_body};
use crate::{
    Arm, ArmResponse, Backup, BackupBody, BackupSecrets, CallSubject, Discovered, Error, ErrorKind,
    FoundSchedule, Operation, Permissions, Progress, RestoreBody, ScheduleBody, SiteList, Started,
    Subscription, tenant_budget,
};

#[async_trait]
impl Arm for ArmClient {
    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error> {
        let budget = tenant_budget();
        let subject = CallSubject::subscription(Operation::ListSubscriptions, &budget);
        self.list(&subject, Method::GET, self.subscriptions_url(), ArmResponse::subscriptions).await
    }

    async fn sites(&self, subscription: &SubscriptionId) -> Result<SiteList, Error> {
        let subject = CallSubject::subscription(Operation::ListSites, subscription);
        let path = ["subscriptions", subscription.as_str(), "providers", "Microsoft.Web", "sites"];
        let listed = self.list(&subject, Method::GET, self.url(&path), ArmResponse::sites).await?;
        Ok(listed.into_iter().collect())
    }

    async fn slots(&self, app: &AppId) -> Result<SiteList, Error> {
        let subject = CallSubject::app(Operation::ListSlots, app);
        let slots = self.app_url(app, &["slots"]);
        let listed = self.list(&subject, Method::GET, slots, ArmResponse::sites).await?;
        Ok(listed.into_iter().collect())
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        let subject = CallSubject::app(Operation::GetSite, app);
        self.call(&subject, Method::GET, self.app_url(app, &[]), None).await?.site()
    }

    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, Error> {
        let subject = CallSubject::app(Operation::Backup, app);
        let body = backup_body(request, &self.settings.api_version);
        self.call(&subject, Method::POST, self.app_url(app, &["backup"]), Some(body)).await?.backup()
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error> {
        let subject = CallSubject::backup(Operation::GetBackup, app, id);
        let url = self.app_url(app, &["backups", &id.to_string()]);
        self.call(&subject, Method::GET, url, None).await?.backup()
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        let subject = CallSubject::app(Operation::ListBackups, app);
        self.list(&subject, Method::GET, self.app_url(app, &["backups"]), ArmResponse::backups).await
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        let subject = CallSubject::app(Operation::ListSiteBackups, app);
        self.list(&subject, Method::POST, self.app_url(app, &["listbackups"]), ArmResponse::backups).await
    }

    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, Error> {
        let subject = CallSubject::backup(Operation::DeleteBackup, app, id);
        let url = self.app_url(app, &["backups", &id.to_string()]);
        self.call(&subject, Method::DELETE, url, None).await?.deleted()
    }

    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error> {
        let subject = CallSubject::backup(Operation::BackupSecrets, app, id);
        let url = self.app_url(app, &["backups", &id.to_string(), "list"]);
        self.call(&subject, Method::POST, url, Some(secrets_body(replace))).await?.backup_secrets()
    }

    async fn restore(&self, app: &AppId, id: BackupId, request: &RestoreBody) -> Result<Started, Error> {
        let subject = CallSubject::backup(Operation::Restore, app, id);
        let url = self.app_url(app, &["backups", &id.to_string(), "restore"]);
        self.call(&subject, Method::POST, url, Some(restore_body(request))).await?.started()
    }

    async fn restore_from_blob(&self, app: &AppId, request: &RestoreBody) -> Result<Started, Error> {
        let subject = CallSubject::app(Operation::RestoreFromBlob, app);
        let url = self.app_url(app, &["restoreFromBackupBlob"]);
        self.call(&subject, Method::POST, url, Some(restore_body(request))).await?.started()
    }

    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, Error> {
        let subject = CallSubject::app(Operation::Discover, app);
        let (method, url) = if self.settings.api_version.as_str() < "2018" {
            (Method::PUT, self.app_url(app, &["backups", "discover"]))
        } else {
            (Method::POST, self.app_url(app, &["discoverbackup"]))
        };
        self.call(&subject, method, url, Some(discover_body(request))).await?.discovered()
    }

    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, Error> {
        let subject = CallSubject::app(Operation::GetOperation, app);
        let mut url = self.settings.endpoint.clone();
        url.set_path(operation);
        // The path is checked as it will be sent, with its dots resolved.
        if !subject.contains_path(url.path()) {
            return Err(subject.error(ErrorKind::Rejected, "the path leads out of the subscription"));
        }
        self.call(&subject, Method::GET, self.versioned(url), None).await?.progress()
    }

    async fn permissions(&self, app: &AppId) -> Result<Permissions, Error> {
        let subject = CallSubject::app(Operation::GetPermissions, app);
        self.call(&subject, Method::GET, self.permissions_url(app), None).await?.permissions()
    }

    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, Error> {
        let subject = CallSubject::app(Operation::GetSchedule, app);
        let url = self.app_url(app, &["config", "backup", "list"]);
        self.call(&subject, Method::POST, url, None).await?.schedule()
    }

    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), Error> {
        let subject = CallSubject::app(Operation::PutSchedule, app);
        let url = self.app_url(app, &["config", "backup"]);
        self.call(&subject, Method::PUT, url, Some(schedule_body(request))).await?.done()
    }

    async fn delete_schedule(&self, app: &AppId) -> Result<(), Error> {
        let subject = CallSubject::app(Operation::DeleteSchedule, app);
        let url = self.app_url(app, &["config", "backup"]);
        self.call(&subject, Method::DELETE, url, None).await?.done()
    }
}
