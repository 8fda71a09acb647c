//! Holds on backups of many apps.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use holdfast_control::holds::many::{HoldsPlan, ManyHolds};
use holdfast_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::once::{ApiRequest, bad};
use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::many_holds::NewHolds;
use crate::site::Site;

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
    let wanted: ManyHolds = request.json()?;
    let plan = site.plan_holds(&request.caller, &wanted).await?;
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
        site.change_holds((&caller, permit.request.as_ref()), &wanted).await
    };
    let done = request.once(site, work).await?;
    let Work::Act(done) = &done.work else { return Err(Failure::no_result()) };
    Ok(Json(done).into_response())
}
