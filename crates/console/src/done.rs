//! What requests did.

use holdfast_control::views::actions::BackupsStarted;
use holdfast_model::{AppId, RunId};
use holdfast_store::RequestAnswer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::failure::Failure;

/// What came of a request, kept for its result page.
#[derive(Debug, Clone)]
pub struct Done {
    /// What was done.
    pub work: Work,
    /// The request's content, to be compared when its key is used again.
    pub fingerprint: String,
}

/// What was done.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Work {
    /// Backups were started.
    Backups(BackupsStarted),
    /// An act on one app or run.
    Act(ActDone),
}

/// What an act did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActDone {
    /// The app.
    pub app: AppId,
    /// The run, of an act on a run.
    pub run: Option<RunId>,
    /// The request to a second person that it made or answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<RunId>,
    /// What was done, as a sentence.
    pub sentence: String,
    /// What follows from it, as a sentence.
    pub detail: String,
}

impl Work {
    /// What a request did when it was sent before; `None` for a new request.
    pub fn of(known: &RequestAnswer) -> Result<Option<Self>, Failure> {
        match known {
            RequestAnswer::New => Ok(None),
            RequestAnswer::Answered(answer) => {
                serde_json::from_str(answer).map(Some).map_err(|_| Failure::no_result())
            }
            RequestAnswer::Reused => Err(Failure::reused()),
        }
    }
}
