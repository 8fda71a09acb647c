//! Holds on backups of many apps.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holdfast_access::Scope;
use holdfast_control::counted;
use holdfast_control::holds::many::{HoldsPlan, ManyHolds, change_holds, plan_holds};
use holdfast_model::{AppId, Timestamp};
use holdfast_store::RequestKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::acts::About;
use crate::api::once::{ApiRequest, bad};
use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Holds that are added or removed, their number, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "holds": { "select": { "policies": ["gold"] } }, "reason": "lawsuit 7", "confirm": 12 }))]
pub struct NewHolds {
    /// Which.
    holds: ManyHolds,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// The number of backups in the plan, to confirm.
    confirm: usize,
}

/// The holds that will be added or removed.
#[derive(Serialize, ToSchema)]
pub struct PlannedHolds {
    /// The store's time.
    as_of: Timestamp,
    /// The plan.
    #[serde(flatten)]
    plan: HoldsPlan,
}

/// Plan holds of many apps
///
/// Changes nothing. The newest good backup of each app is held, or all holds of the apps are removed.
#[utoipa::path(
    post, path = "/api/v1/holds/plan", operation_id = "plan_holds", tag = "backups", request_body = ManyHolds,
    responses((status = 200, description = "The backups, and the apps that are left out.", body = PlannedHolds)),
    extensions(("x-codes" = json!(["invalid", "not_found", "conflict"])))
)]
pub async fn plan(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let plan = planned(&site, &request.caller, &request.json()?).await?;
    Ok(Json(PlannedHolds { as_of: site.now().await?, plan }).into_response())
}

/// Hold backups of many apps
///
/// Plans again, and holds what is planned, all or nothing, where `confirm` is the number of backups.
#[utoipa::path(
    post, path = "/api/v1/holds/many", operation_id = "hold_many", tag = "backups", request_body = NewHolds,
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "not_confirmed", "not_found", "conflict"])))
)]
pub async fn hold(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    Ok(change(&site, request, false).await?)
}

/// Release held backups of many apps
///
/// Plans again, and removes the holds of the apps, all or nothing, where `confirm` is their number.
#[utoipa::path(
    post, path = "/api/v1/holds/many/release", operation_id = "release_many", tag = "backups", request_body = NewHolds,
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "not_confirmed", "not_found", "conflict"])))
)]
pub async fn release(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    Ok(change(&site, request, true).await?)
}

async fn change(site: &Arc<Site>, request: ApiRequest, release: bool) -> Result<Response, Failure> {
    let wanted: NewHolds = request.json()?;
    if wanted.holds.release != release {
        return Err(bad("`holds.release` says another thing than the address."));
    }
    let work = |site: Arc<Site>, permit: crate::forms::Permit, caller: Caller| async move {
        let plan = planned(&site, &caller, &wanted.holds).await?;
        let count = plan.backups.len();
        let Some(first) = plan.backups.first().filter(|_| wanted.confirm == count) else {
            let detail =
                format!("The plan has {}, and `confirm` is another number.", counted(count, "backup"));
            let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
            return Err(failure.help("Send the number of backups, as the plan has them."));
        };
        let (word, detail) = if release {
            ("released", "Retention decides about them again.")
        } else {
            ("held", "Nothing deletes them until the holds are released.")
        };
        let sentence = format!("{} {word}.", counted(count, "backup"));
        let done = ActDone::new(first.app.clone(), sentence, detail);
        let answer = serde_json::to_string(&done).unwrap_or_default();
        let request = permit.request.as_ref().map(|key: &RequestKey| (key, answer.as_str()));
        let by = (&caller.actor, wanted.reason.as_str());
        let known = change_holds(site.store(), &plan, by, request, &mut site.rng()?).await?;
        Ok(Work::of(&known)?.unwrap_or(Work::Act(done)))
    };
    let done = request.once(site, work).await?;
    let Work::Act(done) = &done.work else { return Err(Failure::no_result()) };
    Ok(Json(done).into_response())
}

/// The plan, whose apps must be in the scope of the caller.
async fn planned(site: &Site, caller: &Caller, wanted: &ManyHolds) -> Result<HoldsPlan, Failure> {
    let plan = plan_holds(site.store(), wanted).await?;
    if caller.principal.scope != Scope::ALL {
        let apps = plan.backups.iter().map(|entry| &entry.app);
        let all: Vec<&AppId> = apps.chain(plan.left_out.iter().map(|left| &left.app)).collect();
        for app in all {
            site.in_scope(caller, &About::App(app.clone())).await?;
        }
    }
    Ok(plan)
}
