//! `POST /api/v1/drills/many` and its plan.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use holdfast_control::restore::ManyRestores;

use crate::api::many::{self, BegunPlan, PlannedRestores};
use crate::api::once::ApiRequest;
use crate::caller::Caller;
use crate::done::ActDone;
use crate::failure::ApiFailure;
use crate::many_restores::ManyConfirmed;
use crate::site::Site;

/// Plan drills of many apps
///
/// `to` is `scratch`: each backup goes into the scratch app of its policy. Changes nothing.
#[utoipa::path(
    post, path = "/api/v1/drills/many/plan", operation_id = "plan_drills", tag = "acts", request_body = ManyRestores,
    responses((status = 202, description = "The plan is being made.", body = BegunPlan)),
    extensions(("x-codes" = json!(["no_randomness"])))
)]
pub async fn plan(site: State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    many::plan(site, request).await
}

/// Show a plan of drills of many apps
///
/// 202 while it is being made.
#[utoipa::path(
    get, path = "/api/v1/drills/many/{id}", operation_id = "show_drills_plan", tag = "acts",
    params(("id" = String, Path, description = "The id of the plan.")),
    responses(
        (status = 200, description = "The plan.", body = PlannedRestores<'_>),
        (status = 202, description = "The plan is being made.", body = BegunPlan)
    ),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_plan", "not_found", "conflict", "refused", "failed", "azure_unavailable"])))
)]
pub async fn show(
    site: State<Arc<Site>>,
    caller: Caller,
    id: Path<String>,
    uri: Uri,
) -> Result<Response, ApiFailure> {
    many::show(site, caller, id, uri).await
}

/// Drill many apps
///
/// Starts what a plan has, all of it or nothing, once. `confirm` is the number of its drills.
#[utoipa::path(
    post, path = "/api/v1/drills/many", operation_id = "drill_many", tag = "acts", request_body = ManyConfirmed,
    responses((status = 202, description = "The runs of the drills.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "not_confirmed", "no_such_plan", "not_found", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn start(site: State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    many::start(site, request).await
}
