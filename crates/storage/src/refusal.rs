//! Requests that storage refused.

use crate::ErrorKind;

/// A request that storage refused. It is decided by the status, because the error codes differ between Azure and its
/// emulators; one code has its own variant, because its remedy differs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 401 or 403.
    #[error(
        "{operation} was answered {status}: the SAS or the key behind it was revoked or rotated, lacks a permission, \
         or a firewall keeps this machine out; put a new SAS or open the storage account's network"
    )]
    Forbidden {
        /// The request, as a verb.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// 403, because the storage account disallows access by key, and by any SAS signed with a key.
    #[error(
        "{operation} was answered 403: the storage account allows no access by key, so no SAS signed with one works; \
         enable `Allow storage account key access` there, or use mint = \"user_delegation\""
    )]
    NoKeyAccess {
        /// The request, as a verb.
        operation: &'static str,
    },
    /// 404 for the container itself.
    #[error("{operation} was answered 404: the container is not there; create it or correct its name")]
    NoContainer {
        /// The request, as a verb.
        operation: &'static str,
    },
    /// Another 3xx or 4xx. The same request would fail again.
    #[error(
        "{operation} was answered {status}: check the container's URL and the kind of the storage account"
    )]
    Rejected {
        /// The request, as a verb.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// A blob of this name exists, and blobs are not replaced.
    #[error("{operation} was refused, because a blob of this name exists already: it is not replaced")]
    Exists {
        /// The request, as a verb.
        operation: &'static str,
    },
    /// Storage is overloaded or broken.
    #[error("{operation} was answered {status}: storage is overloaded or broken; try again later")]
    Busy {
        /// The request, as a verb.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// No response, or an unreadable one.
    #[error(
        "{operation} got no answer: {reason}; try again later, and check the account's name and the network"
    )]
    NoAnswer {
        /// The request, as a verb.
        operation: &'static str,
        /// The error from the network.
        reason: String,
    },
    /// No connection could be opened, because this process or machine has no file descriptor left.
    #[error(
        "{operation} was not sent: no file descriptor is left; raise the limit of open files (LimitNOFILE), and look \
         for what holds them"
    )]
    TooManyOpenFiles {
        /// The request, as a verb.
        operation: &'static str,
    },
}

impl Refusal {
    /// The meaning for the run that needs the storage.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Forbidden { .. }
            | Self::NoKeyAccess { .. }
            | Self::NoContainer { .. }
            | Self::Exists { .. }
            | Self::Rejected { .. } => ErrorKind::Unusable,
            Self::Busy { .. } | Self::NoAnswer { .. } => ErrorKind::Unreachable,
            Self::TooManyOpenFiles { .. } => ErrorKind::TooManyOpenFiles,
        }
    }
}
