//! Errors of credentials.

use holdfast_arm::{InvalidSettings, TokenError};
use holdfast_storage::{InvalidSecretRef, SecretError};

/// A credential of the fleet file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The secret of a credential cannot be read.
    #[error(transparent)]
    ReadSecret(SecretError),
    /// A credential cannot give tokens.
    #[error(transparent)]
    PrepareTokens(TokenError),
    /// A client of ARM cannot be made.
    #[error(transparent)]
    PrepareClient(InvalidSettings),
    /// The client of a section cannot be made.
    #[error("failed to prepare the credential of [{section}]")]
    PrepareSection {
        /// The section.
        section: String,
        /// Why not.
        source: Box<Self>,
    },
    /// Nothing can read secrets.
    #[error("failed to prepare the reading of secrets")]
    PrepareSecrets(#[source] holdfast_storage::Error),
    /// The application of Entra ID that people log in to cannot be used.
    #[error(transparent)]
    EntraApplication(holdfast_entra::InvalidSettings),
    /// The reference to its secret cannot be read.
    #[error("--entra-client-secret: {0}")]
    EntraSecret(InvalidSecretRef),
    /// The fleet file has no such section.
    #[error("the fleet file has no section [azure.{0}]")]
    NoSection(String),
}

impl Error {
    /// Whether the fleet file or a secret that it names must be changed; else Azure or the machine is the cause.
    pub fn is_in_configuration(&self) -> bool {
        match self {
            Self::ReadSecret(_) | Self::NoSection(_) | Self::EntraApplication(_) | Self::EntraSecret(_) => {
                true
            }
            Self::PrepareSection { source, .. } => source.is_in_configuration(),
            Self::PrepareTokens(_) | Self::PrepareClient(_) | Self::PrepareSecrets(_) => false,
        }
    }
}
