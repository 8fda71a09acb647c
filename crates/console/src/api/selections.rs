//! Which apps a selector means.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use holdfast_control::selector::{Selected, Selector, selected};

use crate::api::once::ApiRequest;
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Select apps
///
/// The apps that a selector means, as the options of commands do, and the runs of theirs that people steer. Changes nothing.
#[utoipa::path(
    post, path = "/api/v1/selections", operation_id = "select_apps", tag = "fleet", request_body = Selector,
    responses((status = 200, description = "What is selected.", body = Selected)),
    extensions(("x-codes" = json!(["invalid", "not_found"])))
)]
pub async fn select(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let selector: Selector = request.json()?;
    Ok(Json(selected(site.store(), &selector).await.map_err(Failure::from)?).into_response())
}
