//! An account key that cannot sign.

/// The text is not an account key. It is not repeated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not base64: give one of the account's two keys alone, and not a connection string")]
pub struct InvalidKey;
