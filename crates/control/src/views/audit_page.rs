//! The audit as pages: what people did, and the state of the chain.

use holdfast_model::{AppId, RunId, Timestamp};
use holdfast_store::CheckpointStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// Which events of the audit a page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only this person, by the claimed name.
    pub person: Option<String>,
    /// Only this app.
    pub app: Option<AppId>,
    /// Only this kind of act: a kind of run, or the name of an operator action.
    pub kind: Option<String>,
    /// The cursor of the page: opaque.
    pub after: Option<String>,
}

/// One page of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditPage {
    /// The store's time.
    pub as_of: Timestamp,
    /// What people did, the newest first. A page may have fewer rows than asked for and still a next one.
    pub rows: Vec<AuditRow>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<String>,
    /// The number of the last event of the audit.
    pub last_seq: i64,
    /// The hash of the last event.
    pub last_hash: String,
    /// The state of signed checkpoints, by destination.
    pub checkpoints: Vec<CheckpointStatus>,
}

/// An event of the audit that a person caused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditRow {
    /// Its place in the chain.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The claimed name.
    pub person: String,
    /// The claim with what stands beside it.
    pub claim: String,
    /// The kind of act: a kind of run, or the name of an operator action.
    pub kind: String,
    /// What was done, in words.
    pub what: String,
    /// The app.
    pub app: Option<AppId>,
    /// The short name of the app.
    pub name: Option<String>,
    /// The run that it asked for, or that records it.
    pub run_id: RunId,
    /// Its hash.
    pub hash: String,
}
