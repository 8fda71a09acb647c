//! Texts that are not references to secrets.

/// The text is not a reference to a secret. It is not repeated here: it may be the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a reference to a secret, `env:NAME`, `file:PATH` or \
     `keyvault:https://VAULT.vault.azure.net/secrets/NAME`, and not the secret itself"
)]
pub struct InvalidSecretRef;
