//! Confirms, declines or withdraws a request.

use holdfast_model::{Actor, NewRun, OperatorAction, RunId, Timestamp};
use holdfast_store::{Approval, ApprovalState, Decision, Store, Verdict};

use super::request::{ApprovalRequest, Effect, expiry, named, read, restore_effect};
use super::second_person::{Behind, makers, refusal};
use crate::operator_actions::{about_app, reason};
use crate::{ControlContext, Error, ErrorKind, deletion, restore};

/// A request that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The request.
    pub approval: Approval,
    /// The runs that it started.
    pub runs: Vec<RunId>,
}

/// What a request does, planned again.
#[derive(Debug)]
pub struct Replanned {
    /// What it does.
    pub effect: Effect,
    /// Its runs.
    pub runs: Vec<NewRun>,
}

/// Plans a request again, as the person who asked.
pub async fn replan(
    context: &ControlContext<'_>,
    approval: &Approval,
    rng: &mut fastrand::Rng,
) -> Result<Replanned, Error> {
    let requests = match read(approval)? {
        ApprovalRequest::Restore(request) => vec![request],
        ApprovalRequest::Restores(requests) => requests,
        ApprovalRequest::Delete(request) => {
            let plan = deletion::plan(context, &request).await?;
            return Ok(Replanned { effect: plan.effect(), runs: deletion::runs(context, &plan, rng).await? });
        }
    };
    let plans = restore::plan_restores(context, requests).await?;
    let ids: Vec<RunId> = plans.iter().map(|_| RunId::new(context.now, rng)).collect();
    Ok(Replanned { effect: restore_effect(&plans), runs: restore::new_runs(context, &plans, &ids).await? })
}

/// Lets a second person confirm a request. `replanned` makes its plan again: the runs are added in the transaction that decides it, and
/// only if the plan does the same as before.
pub async fn confirm<F>(
    store: &dyn Store,
    id: RunId,
    confirmer: &Actor,
    replanned: impl FnOnce(Approval) -> F,
    rng: &mut fastrand::Rng,
) -> Result<Confirmed, Error>
where
    F: Future<Output = Result<Replanned, Error>>,
{
    let (approval, now) = pending(store, id).await?;
    let behind = makers(&store.tokens().await?, confirmer);
    let asker = Behind { actor: &approval.asked_by, makers: &approval.makers };
    if let Some(why) = refusal(asker, Behind { actor: confirmer, makers: &behind }) {
        let what = format!("request {id} needs a second person: {why}");
        return Err(Error::new(ErrorKind::Refused, what).help("let another person log in and confirm it"));
    }
    let Replanned { effect, runs } = replanned(approval.clone()).await?;
    check_effect(&approval, &effect)?;
    let ids: Vec<RunId> = runs.iter().map(|new| new.run.id).collect();
    let action = OperatorAction::ApprovalConfirmed { approval: id, runs: ids.clone() };
    decide(store, (&approval, Verdict::Approved), (action, confirmer), (&runs, now), rng).await?;
    Ok(Confirmed { approval, runs: ids })
}

/// Lets a person decline a request.
pub async fn decline(
    store: &dyn Store,
    (id, why): (RunId, &str),
    actor: &Actor,
    rng: &mut fastrand::Rng,
) -> Result<Approval, Error> {
    let why = reason(why, "a refusal")?;
    let (approval, now) = pending(store, id).await?;
    let action = OperatorAction::ApprovalDeclined { approval: id, reason: why };
    decide(store, (&approval, Verdict::Declined), (action, actor), (&[], now), rng).await?;
    Ok(approval)
}

/// Lets the person who asked withdraw a request.
pub async fn withdraw(
    store: &dyn Store,
    id: RunId,
    actor: &Actor,
    rng: &mut fastrand::Rng,
) -> Result<Approval, Error> {
    let (approval, now) = pending(store, id).await?;
    if !is_asker(&approval, actor) {
        let what = format!("request {id} is of {}, and not of {}", approval.asked_by.name, actor.name);
        return Err(Error::new(ErrorKind::Refused, what).help("decline it instead"));
    }
    let action = OperatorAction::ApprovalWithdrawn { approval: id };
    decide(store, (&approval, Verdict::Withdrawn), (action, actor), (&[], now), rng).await?;
    Ok(approval)
}

/// Whether this login asked, or the person whom the command line named.
pub fn is_asker(approval: &Approval, actor: &Actor) -> bool {
    let asker = &approval.asked_by;
    let is_login = asker.login.is_none() || asker.login == actor.login;
    is_login && asker.name.eq_ignore_ascii_case(&actor.name)
}

/// The request, which must wait for a second person.
async fn pending(store: &dyn Store, id: RunId) -> Result<(Approval, Timestamp), Error> {
    let (approval, now) = (named(store, id).await?, store.now().await?);
    let what = match (approval.state(now), &approval.decision) {
        (ApprovalState::Pending, _) => return Ok((approval, now)),
        (ApprovalState::Expired, _) => format!("request {id} expired {}", expiry(&approval, now)),
        (_, decision) => {
            let by = decision.as_ref().map_or("nobody", |decision| decision.by.name.as_str());
            format!("request {id} was decided by {by} already")
        }
    };
    Err(Error::new(ErrorKind::Conflict, what).help("ask again if it is still needed"))
}

/// Refuses a plan that does something else than what was asked for.
fn check_effect(approval: &Approval, effect: &Effect) -> Result<(), Error> {
    if *effect == approval.effect {
        return Ok(());
    }
    let changed = effect.iter().find(|line| !approval.effect.contains(line));
    let how = changed.map_or_else(
        || "it would do less than then".to_owned(),
        |(name, value)| format!("{} is now: {value}", name.to_lowercase()),
    );
    let what = format!("what request {} would do has changed since it was asked for: {how}", approval.id);
    Err(Error::new(ErrorKind::Conflict, what).help("withdraw or decline it, and ask again"))
}

/// Writes the decision, its record and its runs.
async fn decide(
    store: &dyn Store,
    (approval, verdict): (&Approval, Verdict),
    (action, by): (OperatorAction, &Actor),
    (runs, now): (&[NewRun], Timestamp),
    rng: &mut fastrand::Rng,
) -> Result<(), Error> {
    let record = about_app(&approval.app, (action, by.clone()), now, rng);
    let ids = runs.iter().map(|new| new.run.id).collect();
    let decision = Decision { verdict, by: by.clone(), at: now, runs: ids };
    let (id, name) = (approval.id, approval.app.short_name());
    let new: Vec<NewRun> = std::iter::once(record).chain(runs.iter().cloned()).collect();
    let (what, help) = match store.decide_approval(id, &decision, &new).await {
        Ok(true) => return Ok(()),
        Ok(false) => {
            (format!("request {id} was decided or expired meanwhile"), "look at it again".to_owned())
        }
        Err(holdfast_store::Error::Inconsistent { .. }) => (
            format!("the same is under way for {name} already, so request {id} waits on"),
            format!("`holdfast history {name}` lists it"),
        ),
        Err(error) => return Err(error.into()),
    };
    Err(Error::new(ErrorKind::Conflict, what).help(help))
}
