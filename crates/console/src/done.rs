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
    /// A verification of backups was begun.
    #[serde(skip)]
    Verification,
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
    /// The runs, of an act that starts several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunId>,
    /// How many runs were left out, because the same is under way.
    #[serde(default, skip_serializing_if = "is_none")]
    pub under_way: u64,
    /// Whether a cancelled run may have left a backup at Azure.
    #[serde(default, skip_serializing_if = "is_false")]
    pub may_leave_backup: bool,
    /// What was done, as a sentence.
    pub sentence: String,
    /// What follows from it, as a sentence.
    pub detail: String,
}

impl ActDone {
    /// What an act on an app did.
    pub fn new(app: AppId, sentence: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            app,
            run: None,
            approval: None,
            runs: Vec::new(),
            under_way: 0,
            may_leave_backup: false,
            sentence: sentence.into(),
            detail: detail.into(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives the field by reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives the field by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Work {
    /// The work as the store keeps it with its request.
    pub fn answer(&self) -> String {
        let written = match self {
            Self::Backups(started) => serde_json::to_string(started),
            Self::Act(done) => serde_json::to_string(done),
            Self::Verification => return String::new(),
        };
        written.unwrap_or_default()
    }

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
