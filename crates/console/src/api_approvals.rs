//! `GET /api/v1/approvals`, and what a second person answers: `POST /api/v1/approvals/{id}/confirm`, `/decline`, `/withdraw`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::{AppendHeaders, IntoResponse, Response};
use holdfast_control::approvals::ApprovalView;
use serde::Deserialize;
use serde_json::json;

use crate::api_once::ApiRequest;
use crate::approvals::Answering;
use crate::done::Work;
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// The body of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Answer {
    /// Why; a refusal needs it.
    reason: String,
}

/// `GET /api/v1/approvals`
pub async fn list(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let (all, now) = (site.approvals().await?, site.now().await?);
    let value: Vec<ApprovalView> = all.iter().map(|approval| ApprovalView::of(approval, now)).collect();
    Ok(Json(json!({ "asOf": now, "value": value })).into_response())
}

/// `GET /api/v1/approvals/{id}`
pub async fn one(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, ApiFailure> {
    let (approval, now) = (site.approval(&id).await?, site.now().await?);
    Ok(Json(ApprovalView::of(&approval, now)).into_response())
}

/// Answers a request; the last segment of the path says how.
pub async fn answer(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    let answering: Answering = request.path.rsplit('/').next().unwrap_or_default().parse()?;
    let Answer { reason } = request.json()?;
    let done = request
        .once(&site, |site, _, caller| async move { site.answer((answering, &id), &reason, &caller).await })
        .await?;
    let Work::Act(done) = &done.work else { return Err(Failure::no_result().into()) };
    let location = HeaderName::from_static("operation-location");
    let run = done.run.map(|run| AppendHeaders([(location, format!("/api/v1/runs/{run}"))]));
    Ok((run, Json(done)).into_response())
}
