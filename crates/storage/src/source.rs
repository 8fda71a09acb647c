//! Where a SAS comes from.

use std::time::Duration;

use crate::SecretRef;

/// Where the SAS of a storage comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SasSource {
    /// Somebody writes it there and renews it: a SAS alone, or the container's URL with it.
    Url(SecretRef),
    /// It is minted here, with the storage account's key.
    AccountKey {
        /// Where the key is.
        key: SecretRef,
        /// How long a minted SAS lasts from the time it is minted.
        lifetime: Duration,
    },
    /// It is minted here, with a user delegation key that storage hands to the fleet's credential.
    UserDelegation {
        /// How long a minted SAS lasts from the time it is minted; at most [`DELEGATION_LIFETIME_MAX`].
        lifetime: Duration,
    },
}

/// A user delegation key lasts seven days, and begins some minutes ago for the clocks' difference. No SAS outlasts it.
///
/// [`SasSource::UserDelegation`]
pub const DELEGATION_LIFETIME_MAX: Duration = Duration::from_mins(7 * 24 * 60 - 20);

impl SasSource {
    /// The reference that is read at each refresh, where there is one.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Url(secret) | Self::AccountKey { key: secret, .. } => Some(secret),
            Self::UserDelegation { .. } => None,
        }
    }

    /// How long a minted SAS lasts; `None` for one that somebody else made.
    pub fn lifetime(&self) -> Option<Duration> {
        match self {
            Self::Url(_) => None,
            Self::AccountKey { lifetime, .. } | Self::UserDelegation { lifetime } => Some(*lifetime),
        }
    }

    /// Where a SAS comes from, in the fleet file's words.
    pub fn origin(&self) -> String {
        self.secret().map_or_else(|| "user_delegation".to_owned(), ToString::to_string)
    }

    /// What to do when a SAS from here will not do.
    pub(crate) fn cure(&self) -> &'static str {
        match self {
            Self::Url(_) => "put a new SAS there",
            Self::AccountKey { .. } | Self::UserDelegation { .. } => {
                "raise the storage's `lifetime` above the policy's deadline"
            }
        }
    }
}
