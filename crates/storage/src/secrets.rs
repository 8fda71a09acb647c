//! Reads secrets from the environment, files and Key Vault.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::http::{Clients, body, describe};
use crate::secret::tidy;
use crate::vault::VaultSecret;
use crate::{Error, SecretError, SecretRef, Tokens};

/// Reads secrets.
#[async_trait]
pub trait Secrets: Send + Sync + fmt::Debug {
    /// Reads the secret now.
    async fn read(&self, reference: &SecretRef) -> Result<SecretString, SecretError>;
}

/// Reads the environment, files, and Key Vault over HTTPS.
#[derive(Debug)]
pub struct LiveSecrets {
    clients: Clients,
    tokens: Arc<dyn Tokens>,
}

/// The part of Key Vault's response that is used.
#[derive(Deserialize)]
struct VaultResponse {
    value: String,
}

/// The longest response. A Key Vault's secret has at most 25 KB, and its tags are small.
const ANSWER_MAX_BYTES: usize = 256 * 1024;

impl LiveSecrets {
    /// A reader that opens vaults with `tokens`.
    pub fn new(tokens: Arc<dyn Tokens>) -> Result<Self, Error> {
        Ok(Self { clients: Clients::new()?, tokens })
    }

    async fn ask(&self, reference: &SecretRef, secret: &VaultSecret) -> Result<SecretString, SecretError> {
        let no_token = |cause| SecretError::NoToken { reference: reference.clone(), cause };
        let token = self.tokens.token(&secret.scope()).await.map_err(no_token)?;
        let url = secret.request_url();
        let request = self.clients.of(&url).get(url).bearer_auth(token.expose_secret());
        let no_answer = |reason| SecretError::NoAnswer { reference: reference.clone(), reason };
        let answer = request.send().await.map_err(|error| no_answer(describe(error)))?;
        let (status, reference) = (answer.status().as_u16(), reference.clone());
        match status {
            200 => {}
            401 | 403 => return Err(SecretError::Forbidden { reference, status }),
            404 => return Err(SecretError::NoSuchSecret(reference)),
            408 | 425 | 429 | 500.. => return Err(SecretError::Busy { reference, status }),
            _ => return Err(SecretError::Rejected { reference, status }),
        }
        let text = body(answer, ANSWER_MAX_BYTES).await.map_err(no_answer)?;
        let answer: VaultResponse = serde_json::from_slice(&text)
            .map_err(|_| no_answer("the answer is not that of a Key Vault".to_owned()))?;
        Ok(answer.value.into())
    }
}

#[async_trait]
impl Secrets for LiveSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        match reference {
            SecretRef::KeyVault(secret) => tidy(reference, &self.ask(reference, secret).await?),
            SecretRef::Env(_) | SecretRef::File(_) => reference.read(),
        }
    }
}
