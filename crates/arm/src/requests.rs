//! What the calls send.

use holdfast_model::{AppId, BackupName, DatabaseKind, NativeSchedule};
use secrecy::SecretString;

/// The body of a request for a backup.
#[derive(Debug, Clone)]
pub struct BackupBody {
    /// The backup's name, which becomes the name of its blob.
    pub name: BackupName,
    /// The container's URL with a SAS. Azure accepts any text here and fails later.
    pub storage_url: SecretString,
    /// The databases to back up with the app.
    pub databases: Vec<Database>,
}

/// The body of a request for a restore.
#[derive(Debug, Clone)]
pub struct RestoreBody {
    /// The container's URL with a SAS. A restore uses this SAS, not the one stored with the backup.
    pub storage_url: SecretString,
    /// The blob, with `.zip`.
    pub blob: String,
    /// The app that receives the restore. It may be a new app; the request itself then goes to an existing one.
    pub target: AppId,
    /// Whether the restore overwrites the target. Required when the target exists.
    pub overwrite: bool,
    /// The ARM id of the plan of a new app.
    pub plan: Option<String>,
    /// The databases. They must match those in the backup.
    pub databases: Vec<Database>,
    /// Whether to restore no database.
    pub ignore_databases: bool,
    /// Whether to skip host names that belong to another app.
    pub ignore_conflicting_host_names: bool,
}

/// The body of a request that sets the native schedule.
#[derive(Debug, Clone)]
pub struct ScheduleBody {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The container's URL with a SAS. Azure accepts any text here and fails later.
    pub storage_url: SecretString,
    /// The databases to back up with the app.
    pub databases: Vec<Database>,
}

/// A database that is backed up with its app.
#[derive(Debug, Clone)]
pub struct Database {
    /// The kind of server.
    pub kind: DatabaseKind,
    /// The database's name.
    pub name: String,
    /// The name of the connection string in the app's settings, when it is there.
    pub connection_string_name: Option<String>,
    /// The connection string, with its password; `None` for a database inside the app.
    pub connection_string: Option<SecretString>,
}
