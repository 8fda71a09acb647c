//! Restores and drills that a person asks for: planned, confirmed by the name of the target, and started.

use axum::http::StatusCode;
use holdfast_access::Scope;
use holdfast_control::approvals::{StartedOnce, expiry};
use holdfast_control::restore::{ConfirmedPlans, RestorePlan};
use holdfast_model::{AppId, RunId, RunKind};
use holdfast_store::RequestKey;

use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::Failure;
use crate::forms::Permit;
use crate::restore_kind::RestoreKind;
use crate::restore_request::RestoreAsked;
use crate::site::Site;

/// Confirmed plans that are to start together.
pub(crate) struct Starting<'a> {
    /// The plans.
    pub plans: &'a [RestorePlan],
    /// The ids of their runs.
    pub runs: &'a [RunId],
    /// Why, for the second person.
    pub reason: &'a str,
    /// The key of the request.
    pub key: Option<&'a RequestKey>,
    /// What is replaced, in words.
    pub over: String,
    /// What the request will have done.
    pub done: ActDone,
}

impl Site {
    /// Plans a restore or a drill. Changes nothing.
    pub(crate) async fn plan(
        &self,
        kind: RestoreKind,
        caller: &Caller,
        asked: &RestoreAsked,
    ) -> Result<RestorePlan, Failure> {
        let actor = &caller.actor;
        let plan = match kind {
            RestoreKind::Restore => self.azure().plan_restore(actor, asked.restore()?).await?,
            RestoreKind::Drill => self.azure().plan_drill(actor, asked.drill()).await?,
        };
        self.covers(caller, std::slice::from_ref(&plan), std::iter::empty()).await?;
        Ok(plan)
    }

    /// Plans again, and starts what is planned where the name of its target was typed. The store keeps the answer of a request
    /// with a key in the transaction of its run, so that it starts once, whichever process gets it.
    pub(crate) async fn start(
        &self,
        kind: RestoreKind,
        (permit, caller): (&Permit, &Caller),
        asked: &RestoreAsked,
    ) -> Result<Work, Failure> {
        let plan = self.plan(kind, caller, asked).await?;
        let word = plan.word();
        if asked.confirm.trim() != word {
            let detail = format!("The name that was typed is not {word}, so nothing was started.");
            let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
            return Err(failure.help("Type the name of the target, as the plan shows it."));
        }
        let run = RunId::new(self.now().await?, &mut self.rng()?);
        let sentence = format!("The {} into {word} starts now.", plan.kind);
        let detail = "A worker takes the run as Azure's budget allows.";
        let done = ActDone { run: Some(run), ..ActDone::new(plan.target.app.clone(), sentence, detail) };
        let reason = asked.reason.as_deref().unwrap_or_default();
        let (plans, key) = (std::slice::from_ref(&plan), permit.request.as_ref());
        self.begin(caller, Starting { plans, runs: &[run], reason, key, over: word, done }).await
    }

    /// Starts confirmed plans together, or asks a second person for them.
    pub(crate) async fn begin(&self, caller: &Caller, starting: Starting<'_>) -> Result<Work, Failure> {
        let Starting { plans, runs, reason, key, over, done } = starting;
        let answer = serde_json::to_string(&done).unwrap_or_default();
        let request = key.map(|key| (key, answer.as_str()));
        let confirmed = ConfirmedPlans { plans, runs, reason, request };
        match self.azure().start(&caller.actor, confirmed).await? {
            StartedOnce::Runs(known) => Ok(Work::of(&known)?.unwrap_or(Work::Act(done))),
            StartedOnce::Asked(approval) => Ok(Work::Act(ActDone {
                run: None,
                runs: Vec::new(),
                approval: Some(approval.id),
                sentence: format!("A second person must confirm the restore over {over}."),
                detail: format!(
                    "Nothing is done yet. The request expires {}.",
                    expiry(&approval, self.now().await?)
                ),
                ..done
            })),
        }
    }
    /// Refuses plans about apps that are out of the caller's scope.
    pub(crate) async fn covers<'a>(
        &self,
        caller: &Caller,
        plans: &'a [RestorePlan],
        others: impl Iterator<Item = &'a AppId>,
    ) -> Result<(), Failure> {
        let scope = &caller.principal.scope;
        if *scope == Scope::ALL {
            return Ok(());
        }
        let reading = self.reading().await?.reading;
        // The scratch app of a drill is in no policy.
        let replaced = plans.iter().filter(|plan| plan.kind != RunKind::Drill).map(|plan| &plan.target.app);
        let mut all = plans.iter().map(|plan| &plan.source).chain(replaced).chain(others);
        let outside = all.find(|app| {
            let policy = reading.status_of(app).and_then(|status| status.policy.as_ref());
            !scope.covers(policy)
        });
        match outside {
            None => Ok(()),
            Some(app) => Err(Failure::out_of_scope(&format!("{} is under none of them", app.short_name()))),
        }
    }
}
