//! The tokens of one credential for one scope.

use async_trait::async_trait;
use holdfast_arm::{Credential, Token, TokenError, TokenSource};
use holdfast_config::{Cloud, TokenLogin};
use holdfast_storage::SecretError;

use crate::error::Error;
use crate::remembering::Remember;

/// Tokens of one credential for one scope, without a cache.
#[derive(Debug)]
pub struct ScopeTokens {
    login: TokenLogin,
    remember: Remember,
}

impl ScopeTokens {
    /// The tokens of `cloud` for `scope`. Reads no secret.
    pub fn new(cloud: &Cloud, scope: &str, remember: Remember) -> Self {
        let (credential, authority) = (cloud.credential.clone(), cloud.authority.clone());
        Self::of_login(TokenLogin { credential, authority, scope: scope.to_owned() }, remember)
    }

    /// The tokens that log in to a server. Reads no secret.
    pub fn of_login(login: TokenLogin, remember: Remember) -> Self {
        Self { login, remember }
    }

    /// Reads the credential's secret once, so that a missing one is reported at the start. Sends nothing.
    pub fn check(&self) -> Result<(), Error> {
        let TokenLogin { authority, scope, .. } = &self.login;
        let credential = self.credential().map_err(Error::ReadSecret)?;
        credential.source(authority.as_ref(), scope).map_err(Error::PrepareTokens)?;
        Ok(())
    }

    /// Reads the secret of the credential.
    fn credential(&self) -> Result<Credential, SecretError> {
        self.login.credential.clone().with_secret(|reference| {
            let secret = reference.read()?;
            (self.remember)(&secret);
            Ok(secret)
        })
    }
}

#[async_trait]
impl TokenSource for ScopeTokens {
    /// The credential's secret is read again each time, because files rotate while the process runs.
    async fn token(&self) -> Result<Token, TokenError> {
        let TokenLogin { authority, scope, .. } = &self.login;
        let credential = self.credential().map_err(|error| TokenError::new(&error.to_string()))?;
        let token = credential.source(authority.as_ref(), scope)?.token().await?;
        (self.remember)(&token.secret);
        Ok(token)
    }
}
