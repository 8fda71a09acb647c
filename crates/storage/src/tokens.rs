//! Bearer tokens, for access by role in place of a key.

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::ErrorKind;

/// A source of tokens for Holdfast's identity at Azure.
#[async_trait]
pub trait Tokens: Send + Sync + fmt::Debug {
    /// A token for `scope`, such as `https://vault.azure.net/.default`.
    async fn token(&self, scope: &str) -> Result<SecretString, NoToken>;
}

/// No token could be obtained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NoToken {
    /// Why, without a secret.
    pub reason: String,
    /// Whether the token service refuses the credential until a person replaces it.
    pub is_refused_for_good: bool,
}

impl NoToken {
    /// The meaning for the run that needs the token.
    pub(crate) fn kind(&self) -> ErrorKind {
        if self.is_refused_for_good { ErrorKind::CredentialRefused } else { ErrorKind::Unreachable }
    }
}
