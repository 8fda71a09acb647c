//! The trait, and what goes in and comes out.

use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{AppId, BackupId, BackupName, BackupStatus, Site, SubscriptionId, Timestamp};
use secrecy::SecretString;

use crate::Error;

/// Azure Resource Manager, as far as App Service backups need it.
///
/// No method repeats itself: whether to repeat is the caller's decision, from [`Error::verdict`].
#[async_trait]
pub trait Arm: Send + Sync {
    /// All sites of a subscription, without their deployment slots. Follows pages to the end.
    async fn sites(&self, subscription: &SubscriptionId) -> Result<Vec<Site>, Error>;

    /// One app.
    async fn site(&self, app: &AppId) -> Result<Site, Error>;

    /// Starts a backup. Azure has no idempotency key: two calls are two backups, and after
    /// [`Verdict::Ambiguous`](crate::Verdict::Ambiguous) only a look at the list tells whether there is one.
    async fn backup(&self, app: &AppId, request: &BackupRequest) -> Result<Backup, Error>;

    /// How a backup stands.
    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error>;

    /// All backups of an app that Azure still knows. Follows pages to the end.
    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error>;
}

/// What a backup is to be.
#[derive(Debug, Clone)]
pub struct BackupRequest {
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
    /// `SqlAzure`, `MySql`, `LocalMySql` or `PostgreSql`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The name of the connection string in the app's settings, when it is there.
    pub connection_string_name: Option<String>,
    /// The connection string, with its password.
    pub connection_string: SecretString,
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
