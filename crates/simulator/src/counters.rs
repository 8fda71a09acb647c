//! Counters and accepted requests, for checkers and people.

use std::collections::BTreeMap;

use holdfast_model::{AppId, BackupId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{CallFault, End};

/// The counters since the start. None holds a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Calls per operation, such as `backup` or `get_backup`, answered or not.
    pub calls: BTreeMap<String, u64>,
    /// Accepted backups.
    pub accepted_posts: u64,
    /// Accepted backups whose app and name occurred before: repeated POSTs.
    pub duplicate_posts: u64,
    /// 429 from ARM's token buckets.
    pub throttled_by_arm: u64,
    /// 429 from the provider.
    pub throttled_by_provider: u64,
    /// 409, because of a backup or restore in progress or the fault `conflict`.
    pub conflicts: u64,
    /// Responses that were lost after their effect.
    pub lost_answers: u64,
    /// 401 for a token that is missing, unknown or expired.
    pub unauthorized: u64,
    /// Issued tokens.
    pub tokens: u64,
    /// Ends of backups per word of [`End::as_str`], counted when they end.
    pub ends: BTreeMap<String, u64>,
    /// Call faults per name of [`CallFault::as_str`].
    pub call_faults: BTreeMap<String, u64>,
    /// The most backups at the same time, per App Service plan (its ARM id in lower case).
    pub most_at_once_per_plan: BTreeMap<String, u64>,
    /// The most backups at the same time, per storage account.
    pub most_at_once_per_account: BTreeMap<String, u64>,
    /// The most backups at the same time of any one app. More than 1 would be a bug of the simulator.
    pub most_at_once_per_app: u64,
    /// Blobs that backups wrote: two for each.
    pub blobs_written: u64,
    /// Blobs of requested backups that replaced another. Two backups of one native schedule in one minute share Azure's
    /// default name; their blobs are not counted.
    pub blobs_overwritten: u64,
    /// Backups that failed because storage refused their SAS or had no such container.
    pub sas_failures: u64,
    /// Backups that Azure's own schedules started.
    pub scheduled_backups: u64,
    /// Scheduled backups that Azure's own retention removed.
    pub retired_backups: u64,
    /// Accepted deletions.
    pub deletes: u64,
    /// DELETEs during a deletion of the same backup, which have no effect. They are not among `deletes`.
    pub duplicate_deletes: u64,
    /// Deletions that ended with `DeleteFailed`.
    pub delete_failures: u64,
    /// Accepted restores.
    pub restores_accepted: u64,
    /// Accepted restores of a blob into a target that it was restored into before, or is being restored into. A failed
    /// restore does not count.
    pub duplicate_restores: u64,
    /// Restores that failed.
    pub restore_failures: u64,
    /// Accepted PUTs of a schedule.
    pub schedule_puts: u64,
    /// Stored SAS that were replaced.
    pub sas_replaced: u64,
    /// Requests to the blob endpoint that were refused with 401 or 403.
    pub storage_refusals: u64,
}

impl Counters {
    pub(crate) fn call(&mut self, operation: &str) {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
    }

    pub(crate) fn end(&mut self, end: End) {
        *self.ends.entry(end.as_str().to_owned()).or_default() += 1;
    }

    pub(crate) fn call_fault(&mut self, call_fault: CallFault) {
        *self.call_faults.entry(call_fault.as_str().to_owned()).or_default() += 1;
    }
}

/// An accepted POST of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedPost {
    /// The app.
    pub app: AppId,
    /// The backup's name.
    pub name: String,
    /// Azure's number for it.
    pub id: BackupId,
    /// When it was accepted.
    pub at: Timestamp,
}

/// An accepted DELETE of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedDelete {
    /// The app.
    pub app: AppId,
    /// The backup's name.
    pub name: String,
    /// Azure's number for it.
    pub id: BackupId,
    /// When it was accepted.
    pub at: Timestamp,
    /// Whether the app could be restored from it.
    pub was_whole: bool,
    /// How many other backups the app could be restored from.
    pub left: usize,
}

/// An accepted restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRestore {
    /// The app in the request's path.
    pub app: AppId,
    /// The app that receives the restore.
    pub target: AppId,
    /// The blob, with `.zip`.
    pub blob: String,
    /// The operation's id.
    pub operation: String,
    /// When it was accepted.
    pub at: Timestamp,
}
