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
    refusal: Option<Refusal>,
}

/// How long the token service's refusal of a credential lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It may pass by itself, such as one of a conditional access policy or of a credential that was just created.
    MayPass,
    /// Until a person replaces the credential.
    Lasting,
}

impl TokenError {
    /// An error with the text of the token service or the environment. Secrets in them are blanked, and the text is
    /// shortened.
    pub fn new(what: &str) -> Self {
        Self { what: brief(what), refusal: None }
    }

    /// The error of a credential that the token service refuses, perhaps not for ever.
    pub fn refused(what: &str) -> Self {
        Self { refusal: Some(Refusal::MayPass), ..Self::new(what) }
    }

    /// The error of a credential that is certainly bad, such as an expired secret: only a person can mend it.
    pub fn refused_for_good(what: &str) -> Self {
        Self { refusal: Some(Refusal::Lasting), ..Self::new(what) }
    }

    /// Whether the token service refused the credential.
    pub fn is_refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// Whether the credential is certainly bad, so that another request cannot help.
    pub fn is_refused_for_good(&self) -> bool {
        self.refusal == Some(Refusal::Lasting)
    }
}

/// A source of tokens.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// Requests a fresh token. [`TokenCache`](crate::TokenCache) keeps it until its end is near.
    async fn token(&self) -> Result<Token, TokenError>;
}
