//! `POST /api/v1/restores/many`, `/drills/many`, and their plans.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use holdfast_control::restore::{ManyPlan, ManyRestores};
use holdfast_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::once::ApiRequest;
use crate::api::started::started;
use crate::caller::Caller;
use crate::done::ActDone;
use crate::failure::ApiFailure;
use crate::many_restores::ManyConfirmed;
use crate::plans::{PlanKey, ReadyPlan};
use crate::restore_kind::RestoreKind;
use crate::site::Site;

/// A plan that is being made.
#[derive(Serialize, ToSchema)]
pub struct BegunPlan {
    /// Its id.
    plan: String,
}

/// What restores or drills of many apps will do.
#[derive(Serialize, ToSchema)]
pub struct PlannedRestores<'a> {
    /// The store's time.
    as_of: Timestamp,
    /// The plan.
    #[serde(flatten)]
    #[schema(value_type = ManyPlan)]
    plan: &'a ManyPlan,
}

/// Plan restores of many apps
///
/// Begins to plan what `holdfast restore` shows for many apps: what is overwritten, what never comes back, and which apps are left out and why.
/// Changes nothing. The plan is read at `/api/v1/restores/many/{id}`, for ten minutes.
#[utoipa::path(
    post, path = "/api/v1/restores/many/plan", operation_id = "plan_restores", tag = "acts", request_body = ManyRestores,
    responses((status = 202, description = "The plan is being made.", body = BegunPlan)),
    extensions(("x-codes" = json!(["no_randomness"])))
)]
pub async fn plan(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let (wanted, kind): (ManyRestores, _) = (request.json()?, RestoreKind::of_path(&request.path));
    let PlanKey { id, .. } = site.plan_many(kind, &request.caller, wanted).await?;
    let location = format!("/api/v1{}/many/{id}", kind.path());
    Ok((StatusCode::ACCEPTED, later(location), Json(BegunPlan { plan: id })).into_response())
}

/// Show a plan of restores of many apps
///
/// 202 while it is being made.
#[utoipa::path(
    get, path = "/api/v1/restores/many/{id}", operation_id = "show_restores_plan", tag = "acts",
    params(("id" = String, Path, description = "The id of the plan.")),
    responses(
        (status = 200, description = "The plan.", body = PlannedRestores<'_>),
        (status = 202, description = "The plan is being made.", body = BegunPlan)
    ),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_plan", "not_found", "conflict", "refused", "failed", "azure_unavailable"])))
)]
pub async fn show(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiFailure> {
    let key = PlanKey { id, owner: caller.identity(), kind: RestoreKind::of_path(uri.path()) };
    let Some(ready) = site.plans.find(&key).await? else {
        let location = uri.path().to_owned();
        return Ok((StatusCode::ACCEPTED, later(location), Json(BegunPlan { plan: key.id })).into_response());
    };
    let ReadyPlan { as_of, plan } = &ready;
    Ok(Json(PlannedRestores { as_of: *as_of, plan }).into_response())
}

/// Restore many apps
///
/// Starts what a plan has, all of it or nothing, once. `confirm` is the number of its restores.
#[utoipa::path(
    post, path = "/api/v1/restores/many", operation_id = "restore_many", tag = "acts", request_body = ManyConfirmed,
    responses((status = 202, description = "The runs that restore.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "not_confirmed", "no_such_plan", "not_found", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn start(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let (asked, kind): (ManyConfirmed, _) = (request.json()?, RestoreKind::of_path(&request.path));
    let work = |site: Arc<Site>, _, caller| async move { site.start_many(kind, &caller, &asked).await };
    Ok(started(&request.once(&site, work).await?.work)?)
}

fn later(location: String) -> [(HeaderName, String); 2] {
    [(HeaderName::from_static("operation-location"), location), (RETRY_AFTER.clone(), "1".to_owned())]
}
