//! A restore's life. Azure reads the blob and checks its SAS only while it works.

use std::collections::BTreeMap;

use holdfast_model::{AppId, BackupId, DatabaseFacts, Timestamp};
use secrecy::SecretString;

use crate::{FleetSite, RestoreEnd};

/// The last backup that was restored into an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The blob, with `.zip`.
    pub blob: String,
    /// The app of the backup.
    pub app: AppId,
    /// Azure's number for the backup.
    pub backup: BackupId,
    /// When the restore ended.
    pub at: Timestamp,
}

/// Every restore by its operation, and which apps are being restored into.
#[derive(Default)]
pub(super) struct Restores {
    pub(super) by_operation: BTreeMap<String, Restore>,
    pub(super) targets: BTreeMap<AppId, String>,
    /// How often a blob was or is being restored into a target.
    pub(super) taken_on: BTreeMap<(AppId, String), u64>,
}

/// The request for a restore.
pub(super) struct RestoreRequest {
    /// The app in the request's path.
    pub(super) app: AppId,
    pub(super) target: AppId,
    pub(super) storage_url: SecretString,
    pub(super) blob: String,
    pub(super) overwrite: bool,
    pub(super) plan: Option<String>,
    pub(super) databases: Vec<DatabaseFacts>,
    pub(super) ignore_databases: bool,
}

/// A restore that was accepted.
pub(super) struct Restore {
    pub(super) asked: RestoreRequest,
    pub(super) end: RestoreEnd,
    /// The site that a new target is modelled on.
    pub(super) like: FleetSite,
    /// `None` while Azure is at work.
    pub(super) outcome: Option<Result<(), Failure>>,
}

/// Why a restore failed. The known sources have only `InternalServerError` and a sharing violation
/// (Azure/azure-powershell #10614, MicrosoftDocs/azure-docs #37213), so the other texts are invented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn because(message: impl Into<String>) -> Self {
        Self { code: "ResourceOperationFailure", message: message.into() }
    }
}

impl Restores {
    /// The operation that restores into an app now.
    pub(super) fn of_target(&self, target: &AppId) -> Option<&str> {
        self.targets.get(target).map(String::as_str)
    }

    /// The restore that was asked of this app under this id.
    pub(super) fn of(&self, app: &AppId, operation: &str) -> Option<&Restore> {
        self.by_operation.get(operation).filter(|restore| restore.asked.app == *app)
    }
}
