//! `POST /api/v1/restores`, `/drills`, and their plans.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_control::restore::RestorePlan;
use holdfast_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::once::ApiRequest;
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::restore_kind::RestoreKind;
use crate::restore_request::RestoreAsked;
use crate::site::Site;

/// What a restore or a drill will do.
#[derive(Serialize, ToSchema)]
pub struct PlannedRestore {
    /// The store's time.
    as_of: Timestamp,
    /// The plan.
    #[serde(flatten)]
    plan: RestorePlan,
}

/// Plan a restore
///
/// Changes nothing. The answer is what `holdfast restore` shows: what is overwritten, what never comes back, and what to know before.
#[utoipa::path(
    post, path = "/api/v1/restores/plan", operation_id = "plan_restore", tag = "acts", request_body = RestoreAsked,
    responses((status = 200, description = "The plan.", body = PlannedRestore)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn plan(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let asked: RestoreAsked = request.json()?;
    let plan = site.plan(RestoreKind::of_path(&request.path), &request.caller, &asked).await?;
    Ok(Json(PlannedRestore { as_of: site.now().await?, plan }).into_response())
}

/// Restore a backup
///
/// The body confirms it: `confirm` is the name of the target, as the plan shows it.
#[utoipa::path(
    post, path = "/api/v1/restores", operation_id = "restore", tag = "acts", request_body = RestoreAsked,
    responses((status = 202, description = "The run that restores.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "not_confirmed", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn start(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let (asked, kind): (RestoreAsked, _) = (request.json()?, RestoreKind::of_path(&request.path));
    let done = request
        .once(&site, |site, permit, caller| async move { site.start(kind, (&permit, &caller), &asked).await })
        .await?;
    let Work::Act(done) = &done.work else { return Err(Failure::no_result().into()) };
    let location = match (done.run, done.approval) {
        (Some(run), _) => format!("/api/v1/runs/{run}"),
        (None, Some(approval)) => format!("/api/v1/approvals/{approval}"),
        (None, None) => "/api/v1/runs?unfinished=1".to_owned(),
    };
    let headers = [(HeaderName::from_static("operation-location"), location), (RETRY_AFTER, "5".to_owned())];
    Ok((StatusCode::ACCEPTED, headers, Json(done)).into_response())
}
