//! The tokens of one `[azure]` section for one scope.

use async_trait::async_trait;
use holdfast_arm::{Credential, Token, TokenError, TokenSource};
use holdfast_config::Cloud;
use holdfast_control::{Error, ErrorKind};
use holdfast_storage::SecretError;
use holdfast_telemetry::remember_secret;

/// Tokens of one credential for one scope, without a cache.
#[derive(Debug)]
pub struct ScopeTokens {
    cloud: Cloud,
    scope: String,
}

impl ScopeTokens {
    /// The tokens of `cloud` for `scope`. Reads no secret.
    pub fn new(cloud: &Cloud, scope: &str) -> Self {
        Self { cloud: cloud.clone(), scope: scope.to_owned() }
    }

    /// Reads the credential's secret once, so that a missing one is reported at the start. Sends nothing.
    pub fn check(&self) -> anyhow::Result<()> {
        credential(&self.cloud)?.source(self.cloud.authority.as_ref(), &self.scope)?;
        Ok(())
    }
}

#[async_trait]
impl TokenSource for ScopeTokens {
    /// The credential's secret is read again each time, because files rotate while the process runs.
    async fn token(&self) -> Result<Token, TokenError> {
        let credential = credential(&self.cloud).map_err(|error| TokenError::new(&error.to_string()))?;
        let token = credential.source(self.cloud.authority.as_ref(), &self.scope)?.token().await?;
        remember_secret(&token.secret);
        Ok(token)
    }
}

/// Reads the secret of the credential.
fn credential(cloud: &Cloud) -> Result<Credential, Error> {
    let credential = cloud.credential.clone().with_secret(|reference| {
        let secret = reference.read()?;
        remember_secret(&secret);
        Ok(secret)
    });
    credential.map_err(|error: SecretError| Error::new(ErrorKind::Invalid, error.to_string()))
}
