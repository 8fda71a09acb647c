//! How the writing of checkpoints of the audit fares, for `status` and metrics.

use holdfast_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of one destination of checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CheckpointStatus {
    /// The destination, as the fleet file writes it.
    pub destination: String,
    /// The last checkpoint that was written there: its signed line.
    pub checkpoint: Option<String>,
    /// When a checkpoint was last written there; `None` for never.
    pub written_at: Option<Timestamp>,
    /// Since when every try has failed.
    pub failed_since: Option<Timestamp>,
    /// Why the latest try failed.
    pub error: Option<String>,
    /// When the next one is due.
    pub due_at: Timestamp,
}
