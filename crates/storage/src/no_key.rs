//! Failures to obtain a user delegation key.

use crate::{ErrorKind, NoToken, Refusal};

/// The request for a key, as the subject of an error text.
pub(crate) const ASKING: &str = "asking for a user delegation key";

/// The reason why no user delegation key could be obtained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// No token for the request.
    #[error("{0}")]
    NoToken(NoToken),
    /// 401 or 403.
    #[error(
        "{ASKING} was answered {status}: give the credential the roles `Storage Blob Delegator` on the storage \
         account and `Storage Blob Data Contributor` on the container, or open the account's network"
    )]
    Forbidden {
        /// The HTTP status.
        status: u16,
    },
    /// Storage refused the request or did not respond.
    #[error("{0}")]
    Refused(Refusal),
    /// The response holds no key.
    #[error("{ASKING} was answered with something else")]
    Unreadable,
}

impl NoKey {
    /// The meaning for the run that needs the storage.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoToken(cause) => cause.kind(),
            Self::Refused(refusal) => refusal.kind(),
            Self::Forbidden { .. } | Self::Unreadable => ErrorKind::Unusable,
        }
    }
}
