//! Passwords that change while a process runs, such as tokens of Entra.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

/// A password, and how long a server accepts it.
#[derive(Debug, Clone)]
pub struct Password {
    /// The password itself.
    pub secret: SecretString,
    /// The time from now to its end.
    pub valid_for: Duration,
}

/// No password could be obtained. The text names the credential, says why, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPassword(pub String);

/// A source of the password for a database or a broker. The two crates that log in know nothing of its tokens.
#[async_trait]
pub trait PasswordSource: Send + Sync + Debug {
    /// The password that is valid now. The source renews it shortly before its end.
    async fn password(&self) -> Result<Password, NoPassword>;

    /// The credential behind it as the option names it, such as `managed_identity`.
    fn credential(&self) -> &str;
}
