//! Bearer tokens, for access by role in place of a key.

use std::fmt;

use async_trait::async_trait;
use secrecy::SecretString;

/// A source of tokens for Holdfast's identity at Azure.
#[async_trait]
pub trait Tokens: Send + Sync + fmt::Debug {
    /// A token for `scope`, such as `https://vault.azure.net/.default`.
    async fn token(&self, scope: &str) -> Result<SecretString, NoToken>;
}

/// No token could be obtained. The text says why and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoToken(pub String);
