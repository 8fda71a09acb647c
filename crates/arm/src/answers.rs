//! What the calls return.

use std::time::Duration;

use holdfast_model::{
    BackupId, BackupStatus, DatabaseFacts, NativeSchedule, Site, SubscriptionId, Timestamp,
};
use secrecy::SecretString;

/// A subscription that a credential sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// The name that people gave it; its id where it has none.
    pub name: String,
    /// Azure's word for its state, such as `Enabled`, `Warned` or `Disabled`.
    pub state: String,
}

impl Subscription {
    /// Whether its resources are in use. Azure answers reads about the other states, and refuses changes.
    pub fn is_enabled(&self) -> bool {
        self.state.eq_ignore_ascii_case("Enabled")
    }
}

/// The sites of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteList {
    /// Those that can be backed up.
    pub sites: Vec<Site>,
    /// Listed resources whose id is not an app's, as Azure names them: they cannot be backed up.
    pub left_out: Vec<String>,
}

/// A backup as Azure describes it, without the secrets in Azure's responses. Every field but the id may be missing there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Azure's number for it.
    pub id: BackupId,
    /// The name from the request; Azure names scheduled backups itself.
    pub name: Option<String>,
    /// The blob in the container, with `.zip` only once it is being written.
    pub blob_name: Option<String>,
    /// The container that holds it, as a URL without its SAS. Most responses leave it out.
    pub container: Option<String>,
    /// The status; a missing one is `Unknown`.
    pub status: BackupStatus,
    /// When Azure accepted it.
    pub created: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// The blob's size in bytes; 0 until it ends.
    pub size_bytes: Option<i64>,
    /// The site's size in bytes, once counted. It may be less than the blob's for a small site.
    pub website_size_bytes: Option<i64>,
    /// Azure's message about the end, with anything that looks like a secret blanked; never empty.
    pub log: Option<String>,
    /// The databases in it.
    pub databases: Vec<DatabaseFacts>,
    /// When it was last restored.
    pub restored: Option<Timestamp>,
    /// Whether the native schedule started it.
    pub scheduled: bool,
    /// The request id of the POST that started it.
    pub correlation_id: Option<String>,
    /// The request id of this response (header `x-ms-request-id`).
    pub request_id: Option<String>,
    /// The wait that the response asks for before the next request (header `Retry-After`); `None` for a listed backup.
    /// Not seen in recordings.
    pub retry_after: Option<Duration>,
}

impl Backup {
    /// A backup of which nothing but its number and status is known.
    pub fn new(id: BackupId, status: BackupStatus) -> Self {
        Self {
            id,
            name: None,
            blob_name: None,
            container: None,
            status,
            created: None,
            finished: None,
            size_bytes: None,
            website_size_bytes: None,
            log: None,
            databases: Vec::new(),
            restored: None,
            scheduled: false,
            correlation_id: None,
            request_id: None,
            retry_after: None,
        }
    }
}

/// A backup with the SAS that Azure stores with it.
#[derive(Debug, Clone)]
pub struct BackupSecrets {
    /// The backup.
    pub backup: Backup,
    /// The container's URL with the stored SAS, where the response has it.
    pub storage_url: Option<SecretString>,
}

/// A long-running operation that Azure accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The path of the operation, for [`Arm::operation`](crate::Arm::operation); `None` when it has ended already.
    pub operation: Option<String>,
    /// The request id of the response.
    pub request_id: Option<String>,
    /// The wait that the response asks for.
    pub retry_after: Option<Duration>,
}

/// The progress of a long-running operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// It has not ended.
    UnderWay {
        /// The wait that the response asks for.
        retry_after: Option<Duration>,
    },
    /// It succeeded.
    Done,
    /// It failed.
    Failed {
        /// Azure's reason, blanked and shortened.
        detail: String,
    },
}

/// What a blob holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// The databases in it.
    pub databases: Vec<DatabaseFacts>,
    /// The site that was backed up, where the response has it.
    pub site: Option<String>,
}

/// The native schedule of an app.
#[derive(Debug, Clone)]
pub struct FoundSchedule {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The container's URL with the SAS that Azure stores with it, where the response has it.
    pub storage_url: Option<SecretString>,
    /// The databases that it backs up with the app.
    pub databases: Vec<DatabaseFacts>,
}
