//! Acts on one app or one run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::acts::{Act, ActKind};
use crate::api::once::ApiRequest;
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// A pause: why, and for how long or until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "move to Linux", "for": "8h" }))]
pub struct NewPause {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// For how long, such as `8h` or `3d`.
    #[serde(rename = "for")]
    span: Option<String>,
    /// Until when (RFC 3339).
    until: Option<String>,
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "moved" }))]
pub struct Reason {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// What a person says about a run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "note": "key rotated" }))]
pub struct Note {
    /// What is known about it.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// Acts on the app of the path, whose last segment is the act: the name of a slot has a slash of its own.
pub async fn on_app(
    State(site): State<Arc<Site>>,
    Path(path): Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    let (name, act) = path.rsplit_once('/').unwrap_or(("", &path));
    match act.parse().ok() {
        Some(ActKind::Pause) => pause(&site, name, request).await,
        Some(ActKind::Resume) => resume(&site, name, request).await,
        _ => Err(Failure::no_page().into()),
    }
}

/// Pause an app
///
/// Suspends its schedule, retention and drills for a year at most. Runs under way go on.
#[utoipa::path(
    post, path = "/api/v1/apps/{name}/pause", operation_id = "pause_app", tag = "acts", request_body = NewPause,
    params(("name" = String, Path, description = "The short name or the ARM id of the app.")),
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_page", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
async fn pause(site: &Arc<Site>, name: &str, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewPause { reason, span, until } = request.json()?;
    let (app, [span, until]) =
        (site.one(name).await?.to_string(), [span, until].map(Option::unwrap_or_default));
    let fields = [("app", app), ("reason", reason), ("for", span), ("until", until)];
    Ok(act(site, ActKind::Pause, &fields, request).await?)
}

/// Resume an app
///
/// Ends a pause by a person. Ticks of the pause are not run.
#[utoipa::path(
    post, path = "/api/v1/apps/{name}/resume", operation_id = "resume_app", tag = "acts", request_body = Reason,
    params(("name" = String, Path, description = "The short name or the ARM id of the app.")),
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_page", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
async fn resume(site: &Arc<Site>, name: &str, request: ApiRequest) -> Result<Response, ApiFailure> {
    let Reason { reason } = request.json()?;
    let fields = [("app", site.one(name).await?.to_string()), ("reason", reason)];
    Ok(act(site, ActKind::Resume, &fields, request).await?)
}

/// Cancel a run
///
/// Ends a run that waits for its turn or between attempts. One that Azure may have been asked to do is refused.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/cancel", operation_id = "cancel_run", tag = "acts", request_body = Reason,
    params(("id" = String, Path, description = "The id of the run.")),
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_run", "not_found", "conflict"])))
)]
pub async fn cancel(
    State(site): State<Arc<Site>>,
    Path(run): Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    let Reason { reason } = request.json()?;
    Ok(act(&site, ActKind::Cancel, &[("run", run), ("reason", reason)], request).await?)
}

/// Acknowledge a run
///
/// The app's failures up to this run leave the counts of what needs attention, until the next failure.
#[utoipa::path(
    post, path = "/api/v1/runs/{id}/acknowledge", operation_id = "acknowledge_run", tag = "acts", request_body = Note,
    params(("id" = String, Path, description = "The id of the run.")),
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_run", "not_found", "conflict"])))
)]
pub async fn acknowledge(
    State(site): State<Arc<Site>>,
    Path(run): Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    let Note { note } = request.json()?;
    Ok(act(&site, ActKind::Acknowledge, &[("run", run), ("reason", note)], request).await?)
}

/// Does the act that these fields describe, as the fields of a form do.
pub(super) async fn act(
    site: &Arc<Site>,
    kind: ActKind,
    fields: &[(&str, String)],
    request: ApiRequest,
) -> Result<Response, Failure> {
    let field = |name: &str| fields.iter().find(|(of, _)| *of == name).map_or("", |(_, value)| value);
    let act = Act::read(kind, field)?;
    let done = request
        .once(site, |site, _, caller| async move { act.perform(&site, &caller).await.map(Work::Act) })
        .await?;
    match &done.work {
        Work::Act(done) => Ok(Json(done).into_response()),
        Work::Backups(_) | Work::Verification => Err(Failure::no_result()),
    }
}
