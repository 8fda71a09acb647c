//! What does not answer: the breakers of all workers.

use holdfast_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A change of a worker's breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerRecord {
    /// `tenant`, `subscription` or `storage_account`.
    pub kind: String,
    /// The name among those of its kind.
    pub name: String,
    /// When it changed.
    pub at: Timestamp,
    /// When the next probe is due; `None` for a breaker that closed, because an answer came.
    pub until: Option<Timestamp>,
}

/// A part of Azure that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct OpenBreaker {
    /// `tenant`, `subscription` or `storage_account`.
    pub kind: String,
    /// The name among those of its kind.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// When the next probe is due.
    pub until: Timestamp,
}

impl OpenBreaker {
    /// How long after the time of a missed probe a breaker still counts as open. Then the worker that opened it is gone.
    pub const LAPSES_AFTER: std::time::Duration = std::time::Duration::from_mins(15);
}
