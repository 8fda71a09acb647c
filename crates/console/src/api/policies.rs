//! What the fleet file says: policies as they apply, and the apps that its entries and rules cover.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use holdfast_control::EffectivePolicy;
use holdfast_control::coverage::Coverage;

use crate::api::list::All;
use crate::api::named::{given, named};
use crate::failure::{ApiFailure, Failure};
use crate::pages::coverage::Asking;
use crate::site::Site;

/// Policies as they apply
///
/// What `holdfast config show` prints: each value with the section and the line of the fleet file that say it.
#[utoipa::path(
    get, path = "/api/v1/policies", operation_id = "list_policies", tag = "policies",
    params(("app" = Option<String>, Query, description = "The policy of this app, by short name or ARM id; every policy where none is given.")),
    responses((status = 200, description = "The policies.", body = All<EffectivePolicy>)),
    extensions(("x-codes" = json!(["invalid", "not_found", "conflict"])))
)]
pub async fn effective(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let value = site.azure.policies(named(&given(query), "app")).await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// Apps that Azure lists
///
/// What `holdfast apps discover` prints, a quarter of an hour old at most. Until Azure has answered once, the answer is 202.
#[utoipa::path(
    get, path = "/api/v1/discovery", operation_id = "discover_apps", tag = "policies",
    responses((status = 200, description = "The apps.", body = Coverage), (status = 202, description = "Azure is being asked.", body = Asking))
)]
pub async fn discovery(State(site): State<Arc<Site>>) -> Response {
    let known = site.coverage.read();
    match known.answer {
        Some(dated) => Json(&*dated.answer).into_response(),
        None => (StatusCode::ACCEPTED, [(RETRY_AFTER, "1")], Json(Asking::new("asking_azure", known.error)))
            .into_response(),
    }
}
