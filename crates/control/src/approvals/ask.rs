//! Asks a second person.

use std::time::Duration;

use holdfast_model::{Actor, App, AppId, NewRun, OperatorAction, PolicySnapshot, RunId, StorageName};
use holdfast_store::{Approval, ApprovalKind, Asked, RequestAnswer, Store};

use super::request::{ApprovalRequest, Effect, LONGEST, restore_effect};
use super::second_person::makers;
use crate::deletion::DeletionPlan;
use crate::operator_actions::optional_reason;
use crate::restore::RestorePlan;
use crate::{AddedRuns, Error, ErrorKind, counted};

/// Requests that wait, at most.
const PENDING_MAX: u32 = 1_000;
/// Names of apps in the record of a request, at most.
const NAMED: usize = 20;

/// What became of a confirmed plan.
#[derive(Debug)]
pub enum Started {
    /// Its runs were added.
    Runs(AddedRuns),
    /// A second person was asked.
    Asked(Box<Approval>),
}

/// What became of a confirmed plan whose request may have a key.
#[derive(Debug)]
pub enum StartedOnce {
    /// Its run was added, or the request was answered before.
    Runs(RequestAnswer),
    /// A second person was asked.
    Asked(Box<Approval>),
}

/// What a person wants that a second person confirms.
#[derive(Debug, Clone)]
pub struct Wish {
    kind: ApprovalKind,
    app: AppId,
    request: ApprovalRequest,
    effect: Effect,
    what: String,
}

impl Wish {
    /// To restore what is planned, all of it together.
    pub fn to_restore(plans: &[RestorePlan]) -> Result<Self, Error> {
        let Some(first) = plans.first() else {
            let what = "the plan starts nothing, so there is nothing to confirm";
            return Err(Error::new(ErrorKind::Invalid, what).help("see in the plan why apps are left out"));
        };
        let what = match plans {
            [plan] => {
                format!("restore {} of {} over {}", plan.backup.blob, plan.source.short_name(), plan.word())
            }
            several => {
                let names: Vec<String> = several.iter().take(NAMED).map(RestorePlan::word).collect();
                let more = several.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("restore over {}: {}{more}", counted(several.len(), "app"), names.join(", "))
            }
        };
        let (request, effect) = (ApprovalRequest::of(plans), restore_effect(plans));
        Ok(Self { kind: ApprovalKind::Restore, app: first.target.app.clone(), request, effect, what })
    }
}

impl From<&DeletionPlan> for Wish {
    fn from(plan: &DeletionPlan) -> Self {
        let blobs: Vec<&str> = plan.backups.iter().map(|planned| planned.backup.blob.as_str()).collect();
        let name = plan.app.id.short_name();
        Self {
            kind: ApprovalKind::Delete,
            app: plan.app.id.clone(),
            request: plan.request(),
            effect: plan.effect(),
            what: format!("delete {} of {name}: {}", counted(blobs.len(), "backup"), blobs.join(", ")),
        }
    }
}

/// Asks a second person for what `actor` wants, and returns the request with this id, or the one that waits for the same already.
pub async fn ask(
    store: &dyn Store,
    wish: Wish,
    (actor, reason): (&Actor, &str),
    (id, lasts): (RunId, Duration),
) -> Result<Approval, Error> {
    let (now, reason) = (store.now().await?, optional_reason(reason, "a request")?);
    let Wish { kind, app, request, effect, what } = wish;
    let waiting = store.approvals(now - LONGEST, PENDING_MAX).await?;
    if waiting.iter().filter(|approval| approval.is_pending(now)).count() >= PENDING_MAX as usize {
        let what = format!("{PENDING_MAX} requests wait for a second person, which is the most");
        return Err(Error::new(ErrorKind::Refused, what).help("decline those that nobody needs"));
    }
    let request = serde_json::to_string(&request)
        .map_err(|_| Error::new(ErrorKind::Invalid, "the request cannot be kept, so nobody was asked"))?;
    let expires_at = now + lasts;
    let approval = Approval {
        id,
        kind,
        app,
        request,
        effect,
        reason: reason.clone(),
        asked_by: actor.clone(),
        makers: makers(&store.tokens().await?, actor),
        asked_at: now,
        expires_at,
        decision: None,
    };
    let action = OperatorAction::ApprovalAsked { what, reason, expires_at };
    let (about, none) = (App::new(approval.app.clone()), PolicySnapshot::new(StorageName::new("none"), ""));
    // The record has the id of the request.
    let record = NewRun::operator_action(id, &about, &none, action, actor.clone(), now);
    match store.ask_approval(&approval, &record).await? {
        Asked::New => Ok(approval),
        Asked::Pending(other) => super::named(store, other).await,
    }
}
