//! Restores and drills that a person asks for: planned, confirmed by the name of the target, and started.

use axum::http::StatusCode;
use holdfast_access::Scope;
use holdfast_control::approvals::{StartedOnce, expiry};
use holdfast_control::restore::{ConfirmedPlan, RestorePlan};
use holdfast_model::{RunId, RunKind};

use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::Failure;
use crate::forms::Permit;
use crate::restore_request::RestoreAsked;
use crate::site::Site;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreKind {
    /// A restore.
    Restore,
    /// A drill: a restore into a scratch app, which proves that the backup can be restored.
    Drill,
}

impl RestoreKind {
    /// The kind that a path asks for.
    pub fn of_path(path: &str) -> Self {
        if path.contains("/drills") { Self::Drill } else { Self::Restore }
    }

    /// The first segment of its paths.
    pub fn path(self) -> &'static str {
        match self {
            Self::Restore => "/restores",
            Self::Drill => "/drills",
        }
    }
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
            RestoreKind::Restore => self.azure.plan_restore(actor, asked.restore()?).await?,
            RestoreKind::Drill => self.azure.plan_drill(actor, asked.drill()).await?,
        };
        self.covers(caller, &plan).await?;
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
        let answer = serde_json::to_string(&done).unwrap_or_default();
        let request = permit.request.as_ref().map(|key| (key, answer.as_str()));
        let reason = asked.reason.as_deref().unwrap_or_default();
        let confirmed = ConfirmedPlan { plan: &plan, run, reason, request };
        match self.azure.start(&caller.actor, confirmed).await? {
            StartedOnce::Runs(known) => Ok(Work::of(&known)?.unwrap_or(Work::Act(done))),
            StartedOnce::Asked(approval) => Ok(Work::Act(ActDone {
                run: None,
                approval: Some(approval.id),
                sentence: format!("A second person must confirm the restore over {word}."),
                detail: format!(
                    "Nothing is done yet. The request expires {}.",
                    expiry(&approval, self.now().await?)
                ),
                ..done
            })),
        }
    }

    /// Refuses a plan about apps that are out of the caller's scope.
    async fn covers(&self, caller: &Caller, plan: &RestorePlan) -> Result<(), Failure> {
        let scope = &caller.principal.scope;
        if *scope == Scope::ALL {
            return Ok(());
        }
        let reading = self.reading().await?.reading;
        let is_drill = plan.kind == RunKind::Drill;
        // The scratch app of a drill is in no policy.
        for app in [Some(&plan.source), Some(&plan.target.app).filter(|_| !is_drill)].into_iter().flatten() {
            let policy = reading.status_of(app).and_then(|status| status.policy.as_ref());
            if !scope.covers(policy) {
                return Err(Failure::out_of_scope(&format!("{} is under none of them", app.short_name())));
            }
        }
        Ok(())
    }
}
