//! Requests that a second person confirms: what waits, and what is answered.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::{AppendHeaders, IntoResponse, Response};
use holdfast_control::approvals::ApprovalView;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::list::List;
use crate::api::once::ApiRequest;
use crate::approvals::Answering;
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// The body of an answer.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "reason": "seen with Ann" }))]
pub struct Answer {
    /// Why; a refusal needs it.
    reason: String,
}

/// List what waits for a second person
///
/// Also what was decided in the last week, the newest first.
#[utoipa::path(
    get, path = "/api/v1/approvals", operation_id = "list_approvals", tag = "acts",
    responses((status = 200, description = "The requests.", body = List<ApprovalView>))
)]
pub async fn list(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let (all, as_of) = (site.approvals().await?, site.now().await?);
    let value: Vec<ApprovalView> = all.iter().map(|approval| ApprovalView::of(approval, as_of)).collect();
    Ok(Json(List { as_of, count: None, value, next_link: None }).into_response())
}

/// Show a request that a second person confirms
#[utoipa::path(
    get, path = "/api/v1/approvals/{id}", operation_id = "show_approval", tag = "acts",
    params(("id" = String, Path, description = "The id of the request.")),
    responses((status = 200, description = "The request.", body = ApprovalView)),
    extensions(("x-codes" = json!(["no_such_page", "not_found"])))
)]
pub async fn one(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, ApiFailure> {
    let (approval, now) = (site.approval(&id).await?, site.now().await?);
    Ok(Json(ApprovalView::of(&approval, now)).into_response())
}

/// Confirm a request as the second person
///
/// The plan is made again, and must do the same. It needs the permission of what was asked for, and another person than the one who asked.
#[utoipa::path(
    post, path = "/api/v1/approvals/{id}/confirm", operation_id = "confirm_approval", tag = "acts", request_body = Answer,
    params(("id" = String, Path, description = "The id of the request.")),
    responses((status = 200, description = "What was started.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "no_such_page", "not_found", "out_of_scope", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn confirm(
    site: State<Arc<Site>>,
    id: Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    answer(Answering::Confirm, site, id, request).await
}

/// Decline a request of another person
///
/// The body has `reason`.
#[utoipa::path(
    post, path = "/api/v1/approvals/{id}/decline", operation_id = "decline_approval", tag = "acts", request_body = Answer,
    params(("id" = String, Path, description = "The id of the request.")),
    responses((status = 200, description = "The request is declined.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "no_such_page", "not_found", "out_of_scope", "conflict", "refused"])))
)]
pub async fn decline(
    site: State<Arc<Site>>,
    id: Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    answer(Answering::Decline, site, id, request).await
}

/// Withdraw a request of one's own
#[utoipa::path(
    post, path = "/api/v1/approvals/{id}/withdraw", operation_id = "withdraw_approval", tag = "acts", request_body = Answer,
    params(("id" = String, Path, description = "The id of the request.")),
    responses((status = 200, description = "The request is withdrawn.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "no_such_page", "not_found", "out_of_scope", "conflict", "refused"])))
)]
pub async fn withdraw(
    site: State<Arc<Site>>,
    id: Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    answer(Answering::Withdraw, site, id, request).await
}

async fn answer(
    answering: Answering,
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    let Answer { reason } = request.json()?;
    let done = request
        .once(&site, |site, _, caller| async move { site.answer((answering, &id), &reason, &caller).await })
        .await?;
    let Work::Act(done) = &done.work else { return Err(Failure::no_result().into()) };
    let location = HeaderName::from_static("operation-location");
    let run = done.run.map(|run| AppendHeaders([(location, format!("/api/v1/runs/{run}"))]));
    Ok((run, Json(done)).into_response())
}
