//! The calls by name, and how the caller sees each of them pass.

use std::fmt;
use std::time::Duration;

use holdfast_model::{AppId, Call, SubscriptionId};

/// A call of the trait [`Arm`](crate::Arm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The sites of a subscription.
    ListSites,
    /// The slots of a site.
    ListSlots,
    /// One site.
    GetSite,
    /// The POST that starts a backup.
    Backup,
    /// One backup.
    GetBackup,
    /// The backups of an app.
    ListBackups,
    /// The same by POST.
    ListSiteBackups,
    /// The DELETE of a backup.
    DeleteBackup,
    /// A backup's secrets, read or replaced.
    BackupSecrets,
    /// The POST that starts a restore.
    Restore,
    /// The same from a blob.
    RestoreFromBlob,
    /// What a blob holds.
    Discover,
    /// How an operation stands.
    GetOperation,
    /// What the credential may do at an app.
    GetPermissions,
    /// Azure's own schedule of an app.
    GetSchedule,
    /// The PUT of such a schedule.
    PutSchedule,
    /// The DELETE of such a schedule.
    DeleteSchedule,
}

impl Operation {
    /// The word in metrics, spans and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListSites => "list_sites",
            Self::ListSlots => "list_slots",
            Self::GetSite => "get_site",
            Self::Backup => "backup",
            Self::GetBackup => "get_backup",
            Self::ListBackups => "list_backups",
            Self::ListSiteBackups => "list_site_backups",
            Self::DeleteBackup => "delete_backup",
            Self::BackupSecrets => "backup_secrets",
            Self::Restore => "restore",
            Self::RestoreFromBlob => "restore_from_blob",
            Self::Discover => "discover",
            Self::GetOperation => "get_operation",
            Self::GetPermissions => "get_permissions",
            Self::GetSchedule => "get_schedule",
            Self::PutSchedule => "put_schedule",
            Self::DeleteSchedule => "delete_schedule",
        }
    }

    /// Which of ARM's budgets pays for it.
    pub fn call(self) -> Call {
        match self {
            Self::Backup
            | Self::ListSiteBackups
            | Self::BackupSecrets
            | Self::Restore
            | Self::RestoreFromBlob
            | Self::Discover
            | Self::GetSchedule
            | Self::PutSchedule => Call::Write,
            Self::DeleteBackup | Self::DeleteSchedule => Call::Delete,
            Self::ListSites
            | Self::ListSlots
            | Self::GetSite
            | Self::GetBackup
            | Self::ListBackups
            | Self::GetOperation
            | Self::GetPermissions => Call::Read,
        }
    }

    /// The words of an error's text, before the name of what it was done to.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::ListSites => "list the sites of",
            Self::ListSlots => "list the slots of",
            Self::GetSite | Self::GetBackup => "look at",
            Self::Backup => "start a backup of",
            Self::ListBackups | Self::ListSiteBackups => "list the backups of",
            Self::DeleteBackup => "delete",
            Self::BackupSecrets => "ask for the SAS of",
            Self::Restore => "start a restore into",
            Self::RestoreFromBlob => "start a restore from a blob into",
            Self::Discover => "look into a blob for",
            Self::GetPermissions => "ask for the rights at",
            Self::GetOperation => "follow an operation of",
            Self::GetSchedule => "look at azure's own schedule of",
            Self::PutSchedule => "set azure's own schedule of",
            Self::DeleteSchedule => "take away azure's own schedule of",
        }
    }

    /// The most bytes an answer may have: 4 MiB for one thing, 32 MiB for a page of a list, because a site alone
    /// takes about 8 KB and ARM chooses how many are on a page.
    pub(crate) fn answer_bytes_max(self) -> usize {
        match self {
            Self::ListSites | Self::ListSlots | Self::ListBackups | Self::ListSiteBackups => 32 << 20,
            _ => 4 << 20,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request and its answer. A call of several pages, or one repeated after a 401, is several of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts<'a> {
    /// Which call.
    pub operation: Operation,
    /// The HTTP method. The same call may have several: further pages of a POST are GETs.
    pub method: &'a str,
    /// Whose budget paid.
    pub subscription: &'a SubscriptionId,
    /// The app; `None` for a call about the subscription.
    pub app: Option<&'a AppId>,
    /// The HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// What is left of ARM's budgets, as far as the answer told.
    pub remaining: Remaining,
    /// From before the request to the end of the answer's body.
    pub elapsed: Duration,
}

/// What is left of the subscription's budgets, from the headers `x-ms-ratelimit-remaining-subscription-*`. Which of
/// them an answer has depends on the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remaining {
    /// Reads.
    pub reads: Option<u32>,
    /// Writes.
    pub writes: Option<u32>,
    /// Deletes.
    pub deletes: Option<u32>,
    /// POSTs that read, such as lists of secrets.
    pub resource_requests: Option<u32>,
}

impl Remaining {
    /// The least of those that were told.
    pub fn least(&self) -> Option<u32> {
        [self.reads, self.writes, self.deletes, self.resource_requests].into_iter().flatten().min()
    }
}

/// Sees every request that the client has sent: for admission control and metrics.
pub trait CallObserver: Send + Sync {
    /// Called after each answer, and after each request that got none. It must not block.
    fn answered(&self, call: &CallFacts<'_>);
}

/// For callers that do not watch.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopCallObserver;

impl CallObserver for NoopCallObserver {
    fn answered(&self, _: &CallFacts<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_post_and_put_is_a_write_every_delete_a_delete_and_the_rest_reads() {
        for (operation, call) in [
            (Operation::ListSites, Call::Read),
            (Operation::ListSlots, Call::Read),
            (Operation::GetSite, Call::Read),
            (Operation::Backup, Call::Write),
            (Operation::GetBackup, Call::Read),
            (Operation::ListBackups, Call::Read),
            (Operation::ListSiteBackups, Call::Write),
            (Operation::DeleteBackup, Call::Delete),
            (Operation::BackupSecrets, Call::Write),
            (Operation::Restore, Call::Write),
            (Operation::RestoreFromBlob, Call::Write),
            (Operation::Discover, Call::Write),
            (Operation::GetOperation, Call::Read),
            (Operation::GetPermissions, Call::Read),
            (Operation::GetSchedule, Call::Write),
            (Operation::PutSchedule, Call::Write),
            (Operation::DeleteSchedule, Call::Delete),
        ] {
            assert_eq!(operation.call(), call, "{operation}");
        }
    }
}
