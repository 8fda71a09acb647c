//! The credentials of the fleet file, through `azure_identity`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use holdfast_model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::arc_identity::ArcIdentity;
use crate::authority::Authority;
use crate::token_answer::refusal_in;
use crate::{Token, TokenError, TokenSource};

/// The scope of ARM's tokens in the public cloud.
pub const PUBLIC_SCOPE: &str = "https://management.azure.com/.default";

/// Holdfast's identity at Azure: the value of `credential` in the fleet file.
///
/// `S` is a reference to the secret, such as `env:NAME`, as read from the file, and the secret itself after [`with_secret`](Self::with_secret).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credential<S = SecretString> {
    /// An application with a secret.
    ClientSecret {
        /// The tenant's id or domain.
        tenant: String,
        /// The application's id.
        client_id: String,
        /// Its secret.
        secret: S,
    },
    /// A Kubernetes service account that Entra trusts. Missing values come from `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
    /// `AZURE_FEDERATED_TOKEN_FILE`, which the cluster sets.
    WorkloadIdentity {
        /// The tenant's id or domain.
        tenant: Option<String>,
        /// The application's id.
        client_id: Option<String>,
        /// The file with the account's token, which the cluster renews.
        token_file: Option<PathBuf>,
    },
    /// The identity of the machine: the system-assigned one, or a user-assigned one if its client id is given. Virtual
    /// machines, App Service and Azure Arc have one.
    ManagedIdentity {
        /// The client id of a user-assigned identity.
        client_id: Option<String>,
    },
    /// The user who is logged in to the Azure CLI on this machine.
    AzureCli {
        /// The tenant's id or domain; the CLI's own when missing.
        tenant: Option<String>,
    },
}

impl<S> Credential<S> {
    /// Replaces the reference by the secret.
    pub fn with_secret<T, E>(self, read: impl FnOnce(S) -> Result<T, E>) -> Result<Credential<T>, E> {
        Ok(match self {
            Self::ClientSecret { tenant, client_id, secret } => {
                Credential::ClientSecret { tenant, client_id, secret: read(secret)? }
            }
            Self::WorkloadIdentity { tenant, client_id, token_file } => {
                Credential::WorkloadIdentity { tenant, client_id, token_file }
            }
            Self::ManagedIdentity { client_id } => Credential::ManagedIdentity { client_id },
            Self::AzureCli { tenant } => Credential::AzureCli { tenant },
        })
    }
}

impl Credential {
    /// A source of tokens for `scope`, such as [`PUBLIC_SCOPE`]. `authority` is Entra's address: `None` for
    /// `AZURE_AUTHORITY_HOST` or the public cloud; plain http is accepted only on this machine.
    ///
    /// The environment is read once here, so that a missing value fails at the start.
    pub fn source(self, authority: Option<&Url>, scope: &str) -> Result<Arc<dyn TokenSource>, TokenError> {
        let authority = Authority::new(authority)?;
        if let Self::ManagedIdentity { client_id } = &self {
            let variable = |name: &str| std::env::var(name).ok();
            if let Some(arc) = ArcIdentity::find(client_id.as_deref(), scope, variable)? {
                return Ok(Arc::new(arc));
            }
        }
        let source = AzureSource { credential: self, authority, scope: scope.to_owned() };
        source.credential()?;
        Ok(Arc::new(source))
    }
}

/// Tokens from `azure_identity`.
struct AzureSource {
    credential: Credential,
    authority: Authority,
    scope: String,
}

impl AzureSource {
    /// Creates a new credential for each token.
    ///
    /// These credentials cache their token until five minutes before its end and
    /// offer no way to discard a token that ARM refused. The authority's transport keeps its connections.
    fn credential(&self) -> Result<Arc<dyn TokenCredential>, TokenError> {
        let client_options = self.authority.client_options();
        Ok(match self.credential.clone() {
            Credential::ClientSecret { tenant, client_id, secret } => {
                let options = ClientSecretCredentialOptions { client_options };
                let secret = Secret::new(secret.expose_secret().to_owned());
                ClientSecretCredential::new(&tenant, client_id, secret, Some(options)).map_err(no_token)?
            }
            Credential::WorkloadIdentity { tenant, client_id, token_file } => {
                let options = WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    client_id,
                    tenant_id: tenant,
                    token_file_path: token_file,
                };
                WorkloadIdentityCredential::new(Some(options)).map_err(no_token)?
            }
            Credential::ManagedIdentity { client_id } => {
                let user_assigned_id = client_id.map(UserAssignedId::ClientId);
                let client_options = self.authority.identity_options();
                let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
                ManagedIdentityCredential::new(Some(options)).map_err(no_managed_identity)?
            }
            Credential::AzureCli { tenant } => {
                let options = AzureCliCredentialOptions { tenant_id: tenant, ..Default::default() };
                AzureCliCredential::new(Some(options)).map_err(no_token)?
            }
        })
    }
}

#[async_trait]
impl TokenSource for AzureSource {
    async fn token(&self) -> Result<Token, TokenError> {
        let token = self.credential()?.get_token(&[&self.scope], None).await.map_err(no_token)?;
        let expires_on = Timestamp::from_timestamp(token.expires_on.unix_timestamp(), 0);
        let expires_on = expires_on.ok_or_else(|| TokenError::new("it has an invalid expiry"))?;
        Ok(Token { secret: token.token.secret().to_owned().into(), expires_on })
    }
}

impl fmt::Debug for AzureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureSource").field("credential", &self.credential).finish_non_exhaustive()
    }
}

/// Keeps what was read from the service's answer, else the text and the system's error if the service was not reached. The
/// error itself may hold the token service's whole response.
#[expect(clippy::needless_pass_by_value, reason = "it is used as a function for map_err")]
fn no_token(error: azure_core::Error) -> TokenError {
    let text = error.to_string();
    let text = text.split("\nTo troubleshoot").next().unwrap_or_default();
    let causes = || std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    if let Some(read) = causes().find_map(|cause| cause.downcast_ref::<TokenError>()) {
        return read.clone();
    }
    if let Some(refused) = refusal_in(text) {
        return refused;
    }
    let machine = causes().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).last();
    TokenError::new(&machine.map_or_else(|| text.to_owned(), |machine| format!("{text}: {machine}")))
}

/// Says what to use where the library knows a source of managed identities and does not support it.
fn no_managed_identity(error: azure_core::Error) -> TokenError {
    let text = error.to_string();
    if text.contains("isn't supported") {
        return TokenError::new(&format!("{text}: use kind = \"workload_identity\" or \"client_secret\""));
    }
    no_token(error)
}
