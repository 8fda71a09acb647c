//! Holds on backups of many apps: planned, confirmed by their number, and added or removed together.

use axum::http::StatusCode;
use holdfast_access::Scope;
use holdfast_control::counted;
use holdfast_control::holds::many::{HoldsPlan, ManyHolds, change_holds, plan_holds};
use holdfast_model::AppId;
use holdfast_store::RequestKey;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::acts::About;
use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::Failure;
use crate::site::Site;

/// Holds that are added or removed, their number, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "holds": { "select": { "policies": ["gold"] } }, "reason": "lawsuit 7", "confirm": 12 }))]
pub struct NewHolds {
    /// Which.
    pub holds: ManyHolds,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// The number of backups in the plan, to confirm.
    pub confirm: usize,
}

impl Site {
    /// The plan, whose apps must be in the scope of the caller.
    pub(crate) async fn plan_holds(&self, caller: &Caller, wanted: &ManyHolds) -> Result<HoldsPlan, Failure> {
        let plan = plan_holds(self.store(), wanted).await?;
        if caller.principal.scope != Scope::ALL {
            let apps = plan.backups.iter().map(|entry| &entry.app);
            let all: Vec<&AppId> = apps.chain(plan.left_out.iter().map(|left| &left.app)).collect();
            for app in all {
                self.in_scope(caller, &About::App(app.clone())).await?;
            }
        }
        Ok(plan)
    }

    /// Plans again, and adds or removes what is planned where its number was given: all of it or nothing.
    pub(crate) async fn change_holds(
        &self,
        (caller, key): (&Caller, Option<&RequestKey>),
        wanted: &NewHolds,
    ) -> Result<Work, Failure> {
        let plan = self.plan_holds(caller, &wanted.holds).await?;
        let count = plan.backups.len();
        let Some(first) = plan.backups.first().filter(|_| wanted.confirm == count) else {
            let detail = format!("The plan has {}, and another number was given.", counted(count, "backup"));
            let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
            return Err(failure.help("Give the number of backups, as the plan has them."));
        };
        let (word, detail) = if plan.release {
            ("released", "Retention decides about them again.")
        } else {
            ("held", "Nothing deletes them until the holds are released.")
        };
        let word = if count == 1 { format!("is {word}") } else { format!("are {word}") };
        let sentence = format!("{} {word}.", counted(count, "backup"));
        let done = ActDone::new(first.app.clone(), sentence, detail);
        let answer = serde_json::to_string(&done).unwrap_or_default();
        let request = key.map(|key| (key, answer.as_str()));
        let by = (&caller.actor, wanted.reason.as_str());
        let known = change_holds(self.store(), &plan, by, request, &mut self.rng()?).await?;
        Ok(Work::of(&known)?.unwrap_or(Work::Act(done)))
    }
}
