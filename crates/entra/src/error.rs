//! Why nobody is logged in.

use crate::refusal::Refusal;

/// Why nobody is logged in. The texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Entra does not answer, or not as Entra does.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The secret of the application cannot be read.
    #[error("the client secret cannot be read: {0}")]
    ReadSecret(String),
    /// Entra refuses the code, or the application.
    #[error("Entra ID refused the login: {0}")]
    Denied(String),
    /// The token gives no login.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The token is good, and its principal, who is named here, has no role.
    #[error("the login has none of the app roles viewer, operator, restorer, admin")]
    NoRole(String),
}

/// Entra does not answer, or not as Entra does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Entra ID cannot be asked for {what}: {reason}")]
pub struct Unavailable {
    /// What it was asked for.
    pub(crate) what: &'static str,
    /// What came instead.
    pub(crate) reason: String,
}

impl Unavailable {
    /// A request that was answered with another status than 200.
    pub(crate) fn answered(what: &'static str, status: u16) -> Self {
        Self { what, reason: format!("it answered {status}") }
    }
}
