//! Requests that a second person confirms at a server.

use holdfast_control::Error;
use holdfast_control::approvals::ApprovalView;
use holdfast_model::{AppId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::query::Query;
use crate::reads::Listed;
use crate::server::Server;

/// What came of an answer to a request.
#[derive(Debug, Deserialize, Serialize)]
pub struct Answered {
    /// The request.
    pub approval: RunId,
    /// The app.
    pub app: AppId,
    /// The run that was started, where it is one.
    pub run: Option<RunId>,
    /// What was done, as a sentence.
    pub sentence: String,
    /// What follows from it, as a sentence.
    pub detail: String,
}

impl Server {
    /// What waits for a second person, and what was decided in the last week.
    pub async fn approvals(&self) -> Result<Listed<ApprovalView>, Error> {
        self.get(&["approvals"], Query::default()).await
    }

    /// One request.
    pub async fn approval(&self, id: RunId) -> Result<ApprovalView, Error> {
        self.get(&["approvals", &id.to_string()], Query::default()).await
    }

    /// Answers a request: `confirm`, `decline` or `withdraw`.
    pub async fn answer_approval(&self, id: RunId, answer: &str, reason: &str) -> Result<Answered, Error> {
        self.act(&["approvals", &id.to_string(), answer], &json!({ "reason": reason })).await
    }
}
