//! A request that a second person confirms, as answers show it.

use holdfast_model::{Actor, AppId, RunId, Timestamp, format_timestamp};
use holdfast_store::{Approval, ApprovalKind, ApprovalState, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::request::replaced;

/// A request that a second person confirms.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ApprovalView {
    /// Its id.
    pub id: RunId,
    /// Its page.
    pub page: String,
    /// What is asked for.
    pub kind: ApprovalKind,
    /// Its state.
    pub state: ApprovalState,
    /// What is asked for, such as `restore over shop`.
    pub what: String,
    /// The app that is replaced, or whose backups are deleted.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// What it will do.
    pub effect: Vec<EffectLine>,
    /// Why; empty where no reason was given.
    pub reason: String,
    /// Who asks.
    pub asked_by: Actor,
    /// When.
    pub asked_at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
    /// What was decided.
    pub decision: Option<DecisionView>,
}

/// A part of what a request will do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct EffectLine {
    /// What the value is.
    pub name: String,
    /// The value.
    pub value: String,
}

/// The decision about a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct DecisionView {
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The runs that it started.
    pub runs: Vec<RunId>,
}

impl ApprovalView {
    /// The request at a time.
    pub fn of(approval: &Approval, now: Timestamp) -> Self {
        let name = approval.app.short_name();
        let effect = approval.effect.iter().cloned();
        Self {
            id: approval.id,
            page: format!("/approvals/{}", approval.id),
            kind: approval.kind,
            state: approval.state(now),
            what: match approval.kind {
                ApprovalKind::Restore => match replaced(approval) {
                    1 => format!("restore over {name}"),
                    several => format!("restore over {several} apps"),
                },
                ApprovalKind::Delete => format!("deletion of backups of {name}"),
            },
            app: approval.app.clone(),
            name,
            effect: effect.map(|(name, value)| EffectLine { name, value }).collect(),
            reason: approval.reason.clone(),
            asked_by: approval.asked_by.clone(),
            asked_at: approval.asked_at,
            expires_at: approval.expires_at,
            decision: approval.decision.clone().map(|decision| DecisionView {
                verdict: decision.verdict,
                by: decision.by,
                at: decision.at,
                runs: decision.runs,
            }),
        }
    }
}

/// What to tell who asked: a second person must confirm, where and until when.
pub fn waits(view: &ApprovalView) -> String {
    format!(
        "nothing is done yet: a second person must confirm the {} in the console, at {}, by {}",
        view.what,
        view.page,
        format_timestamp(view.expires_at)
    )
}
