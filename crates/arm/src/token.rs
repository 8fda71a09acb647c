//! Tokens, and the sources they come from.

use std::fmt;

use async_trait::async_trait;
use holdfast_model::Timestamp;
use secrecy::SecretString;

use crate::scrub::brief;

/// A bearer token.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token itself.
    pub secret: SecretString,
    /// The time from which it is no longer valid.
    pub expires_on: Timestamp,
}

/// No token could be obtained. The text says why and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no token: {what}")]
pub struct TokenError {
    what: String,
    refused: bool,
}

impl TokenError {
    /// An error with the text of the token service or the environment. Secrets in them are blanked, and the text is
    /// shortened.
    pub fn new(what: &str) -> Self {
        Self { what: brief(what), refused: false }
    }

    /// The error of a credential that the token service refuses: asking again does not help.
    pub fn refused(what: &str) -> Self {
        Self { refused: true, ..Self::new(what) }
    }

    /// Whether the token service refused the credential.
    pub fn is_refused(&self) -> bool {
        self.refused
    }
}

/// A source of tokens.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// Requests a fresh token. [`TokenCache`](crate::TokenCache) keeps it until its end is near.
    async fn token(&self) -> Result<Token, TokenError>;
}
