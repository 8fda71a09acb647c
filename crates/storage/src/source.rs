//! The source of a SAS.

use std::time::Duration;

use crate::SecretRef;

/// The source of a storage's SAS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SasSource {
    /// Another party writes and renews it: a SAS alone, or the container's URL with it.
    Url(SecretRef),
    /// It is minted with the storage account's key.
    AccountKey {
        /// The reference to the key.
        key: SecretRef,
        /// The lifetime of a minted SAS.
        lifetime: Duration,
    },
    /// It is minted with a user delegation key, which storage grants to the fleet's credential.
    UserDelegation {
        /// The lifetime of a minted SAS; at most [`DELEGATION_LIFETIME_MAX`].
        lifetime: Duration,
    },
}

/// The longest lifetime of a SAS from [`SasSource::UserDelegation`]. The key is valid for seven days, minus some minutes
/// for clock skew, and no SAS outlasts it.
pub const DELEGATION_LIFETIME_MAX: Duration = Duration::from_mins(7 * 24 * 60 - 20);

impl SasSource {
    /// The reference that is read at each refresh, where there is one.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Url(secret) | Self::AccountKey { key: secret, .. } => Some(secret),
            Self::UserDelegation { .. } => None,
        }
    }

    /// The lifetime of a minted SAS; `None` for a configured SAS.
    pub fn lifetime(&self) -> Option<Duration> {
        match self {
            Self::Url(_) => None,
            Self::AccountKey { lifetime, .. } | Self::UserDelegation { lifetime } => Some(*lifetime),
        }
    }

    /// The source as the fleet file writes it.
    pub fn origin(&self) -> String {
        self.secret().map_or_else(|| "user_delegation".to_owned(), ToString::to_string)
    }

    /// The remedy for an unusable SAS from this source.
    pub(crate) fn cure(&self) -> &'static str {
        match self {
            Self::Url(_) => "put a new SAS there",
            Self::AccountKey { .. } | Self::UserDelegation { .. } => {
                "raise the storage's `lifetime` above the policy's deadline"
            }
        }
    }
}
