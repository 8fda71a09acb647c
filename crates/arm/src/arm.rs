//! The trait, and what goes in and comes out.

use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{
    AppId, BackupId, BackupName, BackupStatus, DatabaseFacts, DatabaseKind, NativeSchedule, Site,
    SubscriptionId, Timestamp,
};
use secrecy::SecretString;

use crate::{Error, Permissions};

/// Azure Resource Manager, as far as App Service backups need it.
///
/// No method repeats itself: whether to repeat is the caller's decision, from [`Error::verdict`].
#[async_trait]
pub trait Arm: Send + Sync {
    /// All sites of a subscription, without their deployment slots. Follows pages to the end.
    async fn sites(&self, subscription: &SubscriptionId) -> Result<Vec<Site>, Error>;

    /// The deployment slots of an app. Follows pages to the end.
    async fn slots(&self, app: &AppId) -> Result<Vec<Site>, Error>;

    /// One app.
    async fn site(&self, app: &AppId) -> Result<Site, Error>;

    /// Starts a backup. Azure has no idempotency key: two calls are two backups, and after
    /// [`ErrorKind::Ambiguous`](crate::ErrorKind::Ambiguous) only a look at the list tells whether there is one.
    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, Error>;

    /// How a backup stands.
    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error>;

    /// All backups of an app that Azure still knows. Follows pages to the end.
    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error>;

    /// The same by POST /listbackups: a second opinion before a backup counts as lost. Follows pages to the end.
    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error>;

    /// Deletes a backup with its blobs, with the SAS that Azure keeps with it. Azure answers before it is done, with
    /// the backup or with nothing. A backup that is gone is [`ErrorKind::NotFound`](crate::ErrorKind::NotFound).
    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, Error>;

    /// The backup with its secrets; `replace` puts another SAS in the place of the one that Azure keeps with it. Doing
    /// that twice does no more than once. No recorded answer was found: it is built on the documented one.
    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error>;

    /// Starts a restore into `app` from a backup; Azure looks at the blob and not at the backup's number. Not
    /// idempotent: it stops the app.
    async fn restore(&self, app: &AppId, id: BackupId, request: &RestoreBody) -> Result<Started, Error>;

    /// As [`restore`](Self::restore), from a blob that Azure's list need not know.
    async fn restore_from_blob(&self, app: &AppId, request: &RestoreBody) -> Result<Started, Error>;

    /// What a blob holds: the databases in it, and the site it was taken of.
    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, Error>;

    /// How an operation stands that [`Started`] told of. `operation` is a path, and nothing else is asked than ARM.
    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, Error>;

    /// What the credential may do at an app.
    async fn permissions(&self, app: &AppId) -> Result<Permissions, Error>;

    /// Azure's own schedule of an app; `None` when it has none.
    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, Error>;

    /// Sets Azure's own schedule. Enabling one fires a backup at once, so doing it twice makes two.
    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), Error>;

    /// Takes Azure's own schedule away. One that is not there is no error.
    async fn delete_schedule(&self, app: &AppId) -> Result<(), Error>;
}

/// A backup with what only [`Arm::backup_secrets`] tells.
#[derive(Debug, Clone)]
pub struct BackupSecrets {
    /// The backup.
    pub backup: Backup,
    /// The container's URL with the SAS that Azure keeps, where the answer has it.
    pub storage_url: Option<SecretString>,
}

/// Azure's own schedule as an app has it.
#[derive(Debug, Clone)]
pub struct FoundSchedule {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The container's URL with the SAS that Azure keeps with it, where the answer has it.
    pub storage_url: Option<SecretString>,
}

/// What is to be restored, and how.
#[derive(Debug, Clone)]
pub struct RestoreBody {
    /// The container's URL with a SAS: a restore takes its own, not the one kept with the backup.
    pub storage_url: SecretString,
    /// The blob, with `.zip`.
    pub blob: String,
    /// The app that it is restored into: for one that is not there yet, `app` is another, and this names the new one.
    pub target: AppId,
    /// May what is there be overwritten? Needed when the target exists.
    pub overwrite: bool,
    /// The ARM id of the plan that a new app goes into.
    pub plan: Option<String>,
    /// The databases, which have to be those in the backup.
    pub databases: Vec<Database>,
    /// Leaves databases alone.
    pub ignore_databases: bool,
    /// Leaves host names out that another app has.
    pub ignore_conflicting_host_names: bool,
}

/// Azure has begun something that takes a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Where ARM tells how it stands: a path, for [`Arm::operation`]; `None` when it is done already.
    pub operation: Option<String>,
    /// The request id of the answer.
    pub request_id: Option<String>,
    /// How long the answer asks to wait.
    pub retry_after: Option<Duration>,
}

/// How an operation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Azure is at work.
    UnderWay {
        /// How long the answer asks to wait.
        retry_after: Option<Duration>,
    },
    /// Done.
    Done,
    /// Azure says that it failed.
    Failed {
        /// Why, blanked and shortened.
        detail: String,
    },
}

/// What a blob holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// The databases in it.
    pub databases: Vec<DatabaseFacts>,
    /// The site it was taken of, where the answer tells.
    pub site: Option<String>,
}

/// Azure's own schedule as it is to be.
#[derive(Debug, Clone)]
pub struct ScheduleBody {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The container's URL with a SAS. Azure takes any text here and fails later.
    pub storage_url: SecretString,
    /// The databases to take along.
    pub databases: Vec<Database>,
}

/// What a backup is to be.
#[derive(Debug, Clone)]
pub struct BackupBody {
    /// Its name, which becomes the name of its blob.
    pub name: BackupName,
    /// The container's URL with a SAS. Azure takes any text here and fails later.
    pub storage_url: SecretString,
    /// The databases to take along.
    pub databases: Vec<Database>,
}

/// A database that is backed up with its app.
#[derive(Debug, Clone)]
pub struct Database {
    /// What kind.
    pub kind: DatabaseKind,
    /// Its name.
    pub name: String,
    /// The name of the connection string in the app's settings, when it is there.
    pub connection_string_name: Option<String>,
    /// The connection string, with its password; `None` for one inside the app.
    pub connection_string: Option<SecretString>,
}

/// A backup as Azure tells it, without the secrets that its answers carry. Everything but the id may be missing in
/// an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Azure's number for it.
    pub id: BackupId,
    /// The name it was asked for by; a scheduled one has a name that Azure chose.
    pub name: Option<String>,
    /// The blob in the container, with `.zip` only once it is being written.
    pub blob_name: Option<String>,
    /// How it stands; an answer without one gives an unknown word.
    pub status: BackupStatus,
    /// When Azure took it on.
    pub created: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// The blob's bytes; 0 until it ends.
    pub size_bytes: Option<i64>,
    /// The site's bytes, once counted. May be less than the blob's for a small site.
    pub website_size_bytes: Option<i64>,
    /// What Azure says about the end, with anything that looks like a secret blanked; never empty.
    pub log: Option<String>,
    /// The databases in it, as Azure tells them.
    pub databases: Vec<DatabaseFacts>,
    /// When it was last restored.
    pub restored: Option<Timestamp>,
    /// Whether Azure's own schedule took it.
    pub scheduled: bool,
    /// The request id of the POST that started it.
    pub correlation_id: Option<String>,
    /// The request id of the answer that told this (header `x-ms-request-id`).
    pub request_id: Option<String>,
    /// How long the answer asks to wait before the next look (header `Retry-After`); a list's answer says nothing of one
    /// backup. Not seen in recorded answers.
    pub retry_after: Option<Duration>,
}
