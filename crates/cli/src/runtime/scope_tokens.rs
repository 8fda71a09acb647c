//! The tokens of one credential for one scope.

use async_trait::async_trait;
use holdfast_arm::{Credential, Token, TokenError, TokenSource};
use holdfast_config::{Cloud, TokenLogin};
use holdfast_control::{Error, ErrorKind};
use holdfast_storage::{SecretError, SecretRef};
use holdfast_telemetry::remember_secret;

/// Tokens of one credential for one scope, without a cache.
#[derive(Debug)]
pub struct ScopeTokens(TokenLogin);

impl ScopeTokens {
    /// The tokens of `cloud` for `scope`. Reads no secret.
    pub fn new(cloud: &Cloud, scope: &str) -> Self {
        let (credential, authority) = (cloud.credential.clone(), cloud.authority.clone());
        Self(TokenLogin { credential, authority, scope: scope.to_owned() })
    }

    /// The tokens that log in to a server. Reads no secret.
    pub fn of_login(login: TokenLogin) -> Self {
        Self(login)
    }

    /// Reads the credential's secret once, so that a missing one is reported at the start. Sends nothing.
    pub fn check(&self) -> anyhow::Result<()> {
        credential(&self.0.credential)?.source(self.0.authority.as_ref(), &self.0.scope)?;
        Ok(())
    }
}

#[async_trait]
impl TokenSource for ScopeTokens {
    /// The credential's secret is read again each time, because files rotate while the process runs.
    async fn token(&self) -> Result<Token, TokenError> {
        let TokenLogin { credential: reference, authority, scope } = &self.0;
        let credential = credential(reference).map_err(|error| TokenError::new(&error.to_string()))?;
        let token = credential.source(authority.as_ref(), scope)?.token().await?;
        remember_secret(&token.secret);
        Ok(token)
    }
}

/// Reads the secret of the credential.
fn credential(credential: &Credential<SecretRef>) -> Result<Credential, Error> {
    let credential = credential.clone().with_secret(|reference| {
        let secret = reference.read()?;
        remember_secret(&secret);
        Ok(secret)
    });
    credential.map_err(|error: SecretError| Error::new(ErrorKind::Invalid, error.to_string()))
}
