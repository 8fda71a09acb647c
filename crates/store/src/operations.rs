//! Work that a console does in the background, which its client may ask any process for.

use std::time::Duration;

use holdfast_model::Timestamp;

/// Work in the background, such as the plan of restores of many apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRecord {
    /// Its id, which cannot be guessed.
    pub id: String,
    /// The login that asked for it; empty where every login may look at it.
    pub owner: String,
    /// What it is about.
    pub what: String,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When its process last wrote this. The store writes its own time.
    pub seen_at: Timestamp,
    /// How much of it is done.
    pub progress: u64,
    /// What came of it, as the crate that does it wrote it; `None` while it is under way.
    pub result: Option<String>,
}

impl OperationRecord {
    /// How long an operation is known after its process last wrote.
    pub const KEPT: Duration = Duration::from_hours(1);
}
