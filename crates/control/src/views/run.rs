//! One run: what it did, step by step, and its place in the audit.

use holdfast_model::{RunId, Timestamp};
use holdfast_store::Acknowledgement;
use serde::Serialize;
use utoipa::ToSchema;

use crate::runs;
use crate::views::end_forecast::EndForecast;

/// One run with its timeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunDetail)]
pub struct RunView {
    /// The store's time.
    pub as_of: Timestamp,
    /// The run.
    pub run: runs::RunView,
    /// How it stands, in one sentence.
    pub sentence: String,
    /// When it will probably end, while Azure works on a backup and where the app's past says.
    pub ends: Option<EndForecast>,
    /// What to do about its cause.
    pub advice: Option<String>,
    /// The person who asked for it: a claim, with what stands beside it.
    pub person: Option<String>,
    /// What a person said about it last, when it did not succeed.
    pub acknowledged: Option<Acknowledgement>,
    /// Its events, the oldest first.
    pub timeline: Vec<TimelineItem>,
    /// Azure's request ids, for Microsoft's support; each once, the oldest first.
    pub request_ids: Vec<String>,
    /// Its place in the chain of the audit; `None` without an event.
    pub chain: Option<ChainPlace>,
    /// The id of its traces: the run's id without hyphens.
    pub trace_id: String,
}

/// An event of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimelineItem {
    /// Its place in the audit.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Seconds since the event before.
    pub after_s: u64,
    /// The event's name in rows.
    pub event: &'static str,
    /// The event for people.
    pub title: String,
    /// Its particulars.
    pub detail: String,
    /// Azure's words, as Azure wrote them but inert.
    pub azure_says: Option<String>,
    /// Azure's request id.
    pub request_id: Option<String>,
    /// The attempt it begins or ends.
    pub attempt: Option<u32>,
    /// Whether it is a failure.
    pub is_failure: bool,
    /// Its hash in the chain.
    pub hash: String,
}

/// The place of a run in the chain of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChainPlace {
    /// The run.
    pub run_id: RunId,
    /// The place of its first event.
    pub first_seq: i64,
    /// The place of its last event.
    pub last_seq: i64,
    /// The hash of its last event.
    pub last_hash: String,
}
