//! The processes that run, for `status` and metrics.

use std::time::Duration;

use holdfast_model::{RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A process that runs until it is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ProcessStatus {
    /// Its id, made at its start.
    #[schema(value_type = String)]
    pub id: RunId,
    /// What it does: `run`, `scheduler` or `worker`.
    pub role: String,
    /// The name of its machine.
    pub host: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last wrote this.
    pub seen_at: Timestamp,
    /// The revision of the fleet that it works by; `None` for its own fleet file.
    pub revision: Option<u64>,
    /// Why it has not taken up the newest revision.
    pub revision_error: Option<String>,
    /// What is to be known of its own fleet file: that it differs from the revision, or why it was refused.
    pub file_note: Option<String>,
    /// Why it sends no notifications, though it should.
    #[serde(default)]
    pub notifier_error: Option<String>,
}

impl ProcessStatus {
    /// How long a process is known after it last wrote: longer than the pause between two writes.
    pub const KEPT: Duration = Duration::from_mins(2);
}
