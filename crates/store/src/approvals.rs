//! Requests that a second person confirms.

use holdfast_model::{Actor, AppId, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A request that a second person confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Its id: that of the operator action that records it.
    pub id: RunId,
    /// What is asked for.
    pub kind: ApprovalKind,
    /// The app that is replaced, or whose backups are deleted.
    pub app: AppId,
    /// The request, as the crate that carries it out wrote it.
    pub request: String,
    /// What it will do, in names and values. At the confirmation it must be the same.
    pub effect: Vec<(String, String)>,
    /// Why; empty where the person gave no reason.
    pub reason: String,
    /// Who asks.
    pub asked_by: Actor,
    /// Who made the API token that asks, and who made theirs; empty for another login.
    pub makers: Vec<Maker>,
    /// When.
    pub asked_at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// Who made an API token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The name.
    pub name: String,
    /// How it logged in; `None` for the command line.
    pub login: Option<String>,
}

/// What a second person confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// A restore over an existing app.
    Restore,
    /// A deletion of backups.
    Delete,
}

/// How a request was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A second person confirmed it.
    Approved,
    /// A person declined it.
    Declined,
    /// The person who asked withdrew it.
    Withdrawn,
}

/// The decision about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub by: Actor,
    /// When. The store writes its own time.
    pub at: Timestamp,
    /// The runs that it started.
    pub runs: Vec<RunId>,
}

/// The state of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// It waits for a second person.
    Pending,
    /// It was confirmed, and its runs were added.
    Approved,
    /// It was declined.
    Declined,
    /// It was withdrawn.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

/// What came of a request for a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It waits for a second person.
    New,
    /// This one, which asks for the same, waits already. Nothing was added.
    Pending(RunId),
}

impl ApprovalState {
    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

impl Approval {
    /// Its state at a time.
    pub fn state(&self, now: Timestamp) -> ApprovalState {
        match self.decision.as_ref().map(|decision| decision.verdict) {
            Some(Verdict::Approved) => ApprovalState::Approved,
            Some(Verdict::Declined) => ApprovalState::Declined,
            Some(Verdict::Withdrawn) => ApprovalState::Withdrawn,
            None if self.expires_at <= now => ApprovalState::Expired,
            None => ApprovalState::Pending,
        }
    }

    /// Whether it waits for a second person.
    pub fn is_pending(&self, now: Timestamp) -> bool {
        self.state(now) == ApprovalState::Pending
    }
}
