//! `POST /api/v1/restores`, `/drills`, and their plans.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::api_once::ApiRequest;
use crate::done::Work;
use crate::failure::{ApiFailure, Failure};
use crate::restore_request::RestoreAsked;
use crate::restores::RestoreKind;
use crate::site::Site;

/// Plans a restore or a drill. Changes nothing.
pub async fn plan(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let asked: RestoreAsked = request.json()?;
    let plan = site.plan(RestoreKind::of_path(&request.path), &request.caller, &asked).await?;
    Ok(Json(plan).into_response())
}

/// Starts a restore or a drill, whose body confirms it with the name of the target.
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
