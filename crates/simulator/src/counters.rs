//! What happened, for checkers and for people.

use std::collections::BTreeMap;

use holdfast_model::{AppId, BackupId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{End, Hitch};

/// Sums since the start. None of them holds a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Calls per operation, such as `backup` or `get_backup`, answered or not.
    pub calls: BTreeMap<String, u64>,
    /// Backups that Azure took on.
    pub accepted_posts: u64,
    /// Of these, the ones beyond the first of one app with one name: a POST that was repeated.
    pub duplicate_posts: u64,
    /// 429 from ARM's token buckets.
    pub throttled_by_arm: u64,
    /// 429 from the provider.
    pub throttled_by_provider: u64,
    /// 409, because a backup or a restore was under way or by the fault `conflict`.
    pub conflicts: u64,
    /// Answers that were lost after their effect.
    pub lost_answers: u64,
    /// 401 for a token that is missing, unknown or expired.
    pub unauthorized: u64,
    /// Tokens handed out.
    pub tokens: u64,
    /// Ends of backups per word of [`End::as_str`], counted when they end.
    pub ends: BTreeMap<String, u64>,
    /// Hitches per word of [`Hitch::as_str`].
    pub hitches: BTreeMap<String, u64>,
    /// The most backups at the same time, per App Service plan (its ARM id in lower case).
    pub most_at_once_per_plan: BTreeMap<String, u64>,
    /// The most backups at the same time, per storage account.
    pub most_at_once_per_account: BTreeMap<String, u64>,
    /// The most backups at the same time of any one app. More than 1 would be the simulator's own fault.
    pub most_at_once_per_app: u64,
    /// Blobs that backups wrote: two for each.
    pub blobs_written: u64,
    /// Of these, the ones that took the place of another.
    pub blobs_overwritten: u64,
    /// Backups that failed because storage refused their SAS or had no such container.
    pub sas_failures: u64,
    /// Backups that Azure's own schedules started.
    pub scheduled_backups: u64,
    /// Scheduled backups that Azure's own retention removed.
    pub retired_backups: u64,
    /// Deletions that Azure took on.
    pub deletes: u64,
    /// DELETEs of a backup that was being deleted already, which do no harm. They are not among `deletes`.
    pub duplicate_deletes: u64,
    /// Deletions that ended with `DeleteFailed`.
    pub delete_failures: u64,
    /// Restores that Azure took on.
    pub restores_accepted: u64,
    /// Of these, the ones of a blob into a target that it had been restored into before, or was about to be: one
    /// that had failed does not count.
    pub duplicate_restores: u64,
    /// Restores that failed.
    pub restore_failures: u64,
    /// PUTs of a schedule that Azure took on.
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

    pub(crate) fn hitch(&mut self, hitch: Hitch) {
        *self.hitches.entry(hitch.as_str().to_owned()).or_default() += 1;
    }
}

/// A POST that Azure took on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedPost {
    /// Of which app.
    pub app: AppId,
    /// The backup's name.
    pub name: String,
    /// Azure's number for it.
    pub id: BackupId,
    /// When.
    pub at: Timestamp,
}

/// A DELETE that Azure took on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedDelete {
    /// Of which app.
    pub app: AppId,
    /// The backup's name.
    pub name: String,
    /// Azure's number for it.
    pub id: BackupId,
    /// When.
    pub at: Timestamp,
}

/// A restore that Azure took on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRestore {
    /// The app that was asked.
    pub app: AppId,
    /// The app that it goes into.
    pub target: AppId,
    /// The blob, with `.zip`.
    pub blob: String,
    /// The operation's id.
    pub operation: String,
    /// When.
    pub at: Timestamp,
}
