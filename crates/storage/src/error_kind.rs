//! The meaning of a failure.

/// The meaning of a storage failure for the run that needs the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The SAS, the key or the container is wrong: a person must act, or a new SAS must be provided.
    Unusable,
    /// Storage could not be reached, or could not answer: retry later.
    Unreachable,
    /// This process or machine has no file descriptor left: retry later.
    TooManyOpenFiles,
    /// The reference to the SAS or the key cannot be resolved.
    SecretMissing,
    /// The token service refuses the credential that opens the storage or the Key Vault, until a person replaces it.
    CredentialRefused,
}
