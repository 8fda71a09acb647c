//! The calls by name, and how the caller sees each of them pass.

use std::fmt;
use std::time::Duration;

use holdfast_model::{AppId, Call, SubscriptionId};

/// A call of the trait [`Arm`](crate::Arm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The sites of a subscription.
    ListSites,
    /// One site.
    GetSite,
    /// The POST that starts a backup.
    Backup,
    /// One backup.
    GetBackup,
    /// The backups of an app.
    ListBackups,
}

impl Operation {
    /// The word in metrics, spans and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListSites => "list_sites",
            Self::GetSite => "get_site",
            Self::Backup => "backup",
            Self::GetBackup => "get_backup",
            Self::ListBackups => "list_backups",
        }
    }

    /// Which of ARM's budgets pays for it.
    pub fn call(self) -> Call {
        match self {
            Self::Backup => Call::Write,
            Self::ListSites | Self::GetSite | Self::GetBackup | Self::ListBackups => Call::Read,
        }
    }

    /// The words of an error's text, before the name of what it was done to.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::ListSites => "list the sites of",
            Self::GetSite | Self::GetBackup => "look at",
            Self::Backup => "start a backup of",
            Self::ListBackups => "list the backups of",
        }
    }

    /// The most bytes an answer may have: 4 MiB for one thing, 32 MiB for a page of a list, because a site alone
    /// takes about 8 KB and ARM chooses how many are on a page.
    pub(crate) fn answer_bytes_max(self) -> usize {
        match self {
            Self::ListSites | Self::ListBackups => 32 << 20,
            Self::GetSite | Self::Backup | Self::GetBackup => 4 << 20,
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
pub trait Observer: Send + Sync {
    /// Called after each answer, and after each request that got none. It must not block.
    fn answered(&self, call: &CallFacts<'_>);
}

/// For callers that do not watch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn answered(&self, _: &CallFacts<'_>) {}
}
