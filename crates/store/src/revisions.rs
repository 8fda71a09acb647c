//! The revisions of the fleet.

use holdfast_model::{Actor, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A revision of the fleet: a fleet file that every process takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What is known of it beside its text.
    pub head: RevisionHead,
    /// The text of the fleet file. It refers to secrets, and has none.
    pub text: String,
}

/// What is known of a revision beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct RevisionHead {
    /// Its number, from 1.
    pub number: u64,
    /// The SHA-256 of its text, in lower-case hex.
    pub sha256: String,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    #[serde(flatten)]
    pub by: Actor,
    /// Why; empty where the person gave no reason.
    pub reason: String,
    /// The earlier revision whose text it has again, if it is a rollback.
    pub rolled_back_to: Option<u64>,
}
