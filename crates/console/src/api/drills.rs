//! `POST /api/v1/drills` and its plan.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::api::once::ApiRequest;
use crate::api::restores::{self, PlannedRestore};
use crate::done::ActDone;
use crate::failure::ApiFailure;
use crate::restore_request::RestoreAsked;
use crate::site::Site;

/// Plan a drill
///
/// A drill restores a backup into a scratch app, to prove that it can be restored. Changes nothing.
#[utoipa::path(
    post, path = "/api/v1/drills/plan", operation_id = "plan_drill", tag = "acts", request_body = RestoreAsked,
    responses((status = 200, description = "The plan.", body = PlannedRestore)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn plan(site: State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    restores::plan(site, request).await
}

/// Drill a backup
///
/// The body confirms it: `confirm` is the name of the scratch app, as the plan shows it.
#[utoipa::path(
    post, path = "/api/v1/drills", operation_id = "drill", tag = "acts", request_body = RestoreAsked,
    responses((status = 202, description = "The run of the drill.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "not_confirmed", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn start(site: State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    restores::start(site, request).await
}
