//! The trait: ARM as the rest of Holdfast sees it.

use async_trait::async_trait;
use holdfast_model::{AppId, BackupId, Site, SubscriptionId};
use secrecy::SecretString;

use crate::{
    Backup, BackupBody, BackupSecrets, Discovered, Error, FoundSchedule, Permissions, Progress, RestoreBody,
    ScheduleBody, SiteList, Started, Subscription,
};

/// The calls of Azure Resource Manager that App Service backups need.
///
/// No method retries. The caller decides from [`Error::kind`] whether to repeat a call.
#[async_trait]
pub trait Arm: Send + Sync {
    /// Lists the subscriptions that the credential sees, whatever their state. Follows pages to the end.
    async fn subscriptions(&self) -> Result<Vec<Subscription>, Error>;

    /// Lists all sites of a subscription, without their deployment slots. Follows pages to the end.
    async fn sites(&self, subscription: &SubscriptionId) -> Result<SiteList, Error>;

    /// Lists the deployment slots of an app. Follows pages to the end.
    async fn slots(&self, app: &AppId) -> Result<SiteList, Error>;

    /// Reads one app.
    async fn site(&self, app: &AppId) -> Result<Site, Error>;

    /// Starts a backup. Azure has no idempotency key: two calls start two backups, and after
    /// [`ErrorKind::Ambiguous`](crate::ErrorKind::Ambiguous) only the list shows whether one was started.
    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, Error>;

    /// Reads a backup with its status.
    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error>;

    /// Lists all backups of an app that Azure still knows. Follows pages to the end.
    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error>;

    /// Lists the same by POST /listbackups: a second source before a backup counts as lost. Follows pages to the end.
    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error>;

    /// Deletes a backup and its blobs, with the SAS that Azure stores with it. Azure answers before the deletion ends,
    /// with the backup or with nothing. A missing backup is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, Error>;

    /// Reads the backup with its secrets; `replace` first replaces the SAS that Azure stores with it. The call is
    /// idempotent. No recording was found: it follows the documentation.
    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error>;

    /// Starts a restore into `app` from a backup. Azure goes by the blob's name and ignores the backup's id. Not
    /// idempotent: it stops the app.
    async fn restore(&self, app: &AppId, id: BackupId, request: &RestoreBody) -> Result<Started, Error>;

    /// Starts a restore from a blob that Azure's list may not contain, otherwise as [`restore`](Self::restore).
    async fn restore_from_blob(&self, app: &AppId, request: &RestoreBody) -> Result<Started, Error>;

    /// Reads what a blob holds: its databases, and the site of the backup.
    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, Error>;

    /// Reads the progress of an operation from [`Started`]. `operation` is a path; the request goes to ARM alone.
    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, Error>;

    /// Reads the credential's rights on an app.
    async fn permissions(&self, app: &AppId) -> Result<Permissions, Error>;

    /// Reads the native schedule of an app; `None` when it has none.
    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, Error>;

    /// Sets the native schedule. Enabling one starts a backup at once, so two calls start two backups.
    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), Error>;

    /// Deletes the native schedule. A missing schedule is no error.
    async fn delete_schedule(&self, app: &AppId) -> Result<(), Error>;
}
