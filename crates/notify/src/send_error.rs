//! Why a notice was not sent.

use std::time::Duration;

/// How long one try takes at most.
pub const TIMEOUT: Duration = Duration::from_secs(15);

/// A try that failed. The texts hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may succeed later.
    #[error("{why}")]
    Later {
        /// Why.
        why: String,
        /// The shortest pause that the receiver asks for.
        pause: Option<Duration>,
    },
    /// The same request will fail again.
    #[error("{0}")]
    Never(String),
}

impl SendError {
    /// One that may succeed later.
    pub fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), pause: None }
    }
}
