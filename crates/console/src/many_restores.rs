//! Restores and drills of many apps: planned in the background, confirmed by their number, and started together.

use std::sync::Arc;

use axum::http::StatusCode;
use holdfast_control::restore::ManyRestores;
use holdfast_control::{Error, counted};
use holdfast_model::{RunId, RunKind};
use holdfast_store::RequestKey;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::Failure;
use crate::plans::{PlanKey, ReadyPlan};
use crate::restore_kind::RestoreKind;
use crate::restores::Starting;
use crate::site::Site;

/// A plan that is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmedPlan, example = json!({ "plan": "0b5e7d6a9c4f4b1e8f60718293a4b5c6", "confirm": 12 }))]
pub struct ManyConfirmed {
    /// The id of the plan.
    pub plan: String,
    /// The number of restores or drills that it starts.
    pub confirm: usize,
    /// Why, for the second person who confirms it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Site {
    /// Begins to plan restores or drills of many apps, and returns the id of the plan. Changes nothing.
    pub(crate) async fn plan_many(
        self: &Arc<Self>,
        kind: RestoreKind,
        caller: &Caller,
        request: ManyRestores,
    ) -> Result<PlanKey, Failure> {
        if (kind == RestoreKind::Drill) != (request.kind() == RunKind::Drill) {
            let detail = "`to` is `scratch` for drills, and another target for restores.";
            return Err(Failure::new(
                StatusCode::BAD_REQUEST,
                "invalid_body",
                "Another kind of target",
                detail,
            ));
        }
        let id = format!("{:032x}", self.rng()?.u128(..));
        let key = PlanKey { id, owner: caller.identity(), kind };
        let (site, caller) = (Arc::clone(self), caller.clone());
        self.plans.begin(&key, async move { site.make_plan(&caller, &request).await }).await?;
        Ok(key)
    }

    async fn make_plan(&self, caller: &Caller, request: &ManyRestores) -> Result<ReadyPlan, Failure> {
        let plan = self.azure().plan_many(&caller.actor, request).await?;
        self.covers(caller, &plan.starts, plan.left_out.iter().map(|left| &left.app)).await?;
        Ok(ReadyPlan { as_of: self.now().await?, plan })
    }

    /// Starts what is planned where its number was typed. A plan starts once: sent again, whatever its key, it has the same answer.
    pub(crate) async fn start_many(
        &self,
        kind: RestoreKind,
        caller: &Caller,
        asked: &ManyConfirmed,
    ) -> Result<Work, Failure> {
        let key = PlanKey { id: asked.plan.clone(), owner: caller.identity(), kind };
        let ready = self.plans.find(&key).await?.ok_or_else(Failure::under_way)?;
        let own = RequestKey {
            principal: key.owner,
            key: format!("plan {}", asked.plan),
            fingerprint: asked.confirm.to_string(),
        };
        let known = self.store().request(&own).await.map_err(Error::from)?;
        if let Some(work) = Work::of(&known)? {
            return Ok(work);
        }
        let work = self.start_ready(&ready, (&own, caller), asked).await?;
        if let Work::Act(ActDone { approval: Some(_), .. }) = &work {
            let answer = work.answer();
            self.store().add_runs_once(&own, &answer, &[]).await.map_err(Error::from)?;
        }
        Ok(work)
    }

    async fn start_ready(
        &self,
        ready: &ReadyPlan,
        (key, caller): (&RequestKey, &Caller),
        asked: &ManyConfirmed,
    ) -> Result<Work, Failure> {
        let (plans, count) = (&ready.plan.starts, ready.plan.starts.len());
        let Some(first) = plans.first().filter(|_| asked.confirm == count) else {
            let detail = format!(
                "The plan starts {}, and another number was given.",
                counted(count, ready.plan.kind.as_str())
            );
            let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
            return Err(failure.help("Give the number that the plan shows."));
        };
        // The plan was made for this name: its login may cover less by now.
        self.covers(caller, plans, std::iter::empty()).await?;
        let (now, mut rng) = (self.now().await?, self.rng()?);
        let runs: Vec<RunId> = plans.iter().map(|_| RunId::new(now, &mut rng)).collect();
        let sentence = format!("{} starts now.", counted(count, ready.plan.kind.as_str()));
        let sentence = if count == 1 { sentence } else { sentence.replace(" starts ", " start ") };
        let detail = "Workers take the runs as Azure's budget allows.";
        let run = runs.first().copied().filter(|_| count == 1);
        let done =
            ActDone { run, runs: runs.clone(), ..ActDone::new(first.target.app.clone(), sentence, detail) };
        // All of the runs are added, or none, and a plan has its answer in the store.
        let starting = Starting {
            plans,
            runs: &runs,
            reason: asked.reason.as_deref().unwrap_or_default(),
            key: Some(key),
            over: counted(count, "app"),
            done,
        };
        self.begin(caller, starting).await
    }
}
