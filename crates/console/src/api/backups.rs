//! `POST /api/v1/backups` and `POST /api/v1/runs/retry`: backs up apps now.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_control::retry::RunSelection;
use holdfast_control::views::actions::{BackupsStarted, Selection};
use holdfast_control::views::activity::ActivityQuery;
use holdfast_control::views::fleet::FleetQuery;
use holdfast_model::RunId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::once::{ApiRequest, bad};
use crate::backup_request::{self, Asked};
use crate::done::Work;
use crate::failure::{ApiFailure, Failure};
use crate::pages::activity_query;
use crate::site::Site;

/// Apps, or a query with the number of apps that it matches.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBackups, example = json!({ "apps": ["shop", "wiki/staging"] }))]
pub struct Body {
    /// Short names or ARM ids.
    #[serde(default)]
    apps: Vec<String>,
    /// A query of `GET /api/v1/apps`.
    query: Option<String>,
    /// The number of apps that the query matches: where others match meanwhile, nothing starts.
    count: Option<usize>,
}

/// Runs, or a query of runs with the number that it matches.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRetry, example = json!({ "query": "outcome=failed&cause=storage_refused", "count": 7 }))]
pub struct RetryBody {
    /// Ids of backup runs.
    #[serde(default)]
    runs: BTreeSet<RunId>,
    /// A query of `GET /api/v1/runs`.
    query: Option<String>,
    /// The number of runs that the query matches: where others match meanwhile, nothing starts.
    count: Option<usize>,
}

/// Back up apps now
///
/// `Operation-Location` is the address of the run, or of all unfinished runs.
#[utoipa::path(
    post, path = "/api/v1/backups", operation_id = "back_up", tag = "acts", request_body = Body,
    responses((status = 202, description = "The runs that were added, and the apps that were left out.", body = BackupsStarted)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "no_such_app", "ambiguous_app", "not_found", "conflict", "refused"])))
)]
pub async fn start(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    if let Some(Work::Backups(started)) = request.sent_before(&site).await? {
        return Ok(accepted(&started));
    }
    let asked = Asked::Apps(selection(&site, &request.json()?).await?);
    Ok(back_up(&site, request, asked).await?)
}

/// Retry runs
///
/// Backs up the apps of backup runs that did not succeed again, each app once.
#[utoipa::path(
    post, path = "/api/v1/runs/retry", operation_id = "retry_runs", tag = "acts", request_body = RetryBody,
    responses((status = 202, description = "The runs that were added, and the apps that were left out.", body = BackupsStarted)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_run", "not_found", "conflict", "refused"])))
)]
pub async fn retry(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    if let Some(Work::Backups(started)) = request.sent_before(&site).await? {
        return Ok(accepted(&started));
    }
    let RetryBody { runs, query, count } = request.json()?;
    let runs = match (query, count) {
        (None, None) if !runs.is_empty() => RunSelection::Runs(runs),
        (Some(query), Some(count)) if runs.is_empty() => {
            let query = ActivityQuery { after: None, ..activity_query(&query)? };
            RunSelection::Matching { query, count: Some(count) }
        }
        _ => return Err(bad("Give either runs, or a query with the count of runs that it matches.").into()),
    };
    Ok(back_up(&site, request, Asked::Runs(runs)).await?)
}

async fn back_up(site: &Arc<Site>, request: ApiRequest, asked: Asked) -> Result<Response, Failure> {
    let done = request
        .once(site, |site, permit, caller| async move {
            backup_request::start(&site, (&permit, &caller), asked).await.map(Work::Backups)
        })
        .await?;
    match &done.work {
        Work::Backups(started) => Ok(accepted(started)),
        Work::Act(_) => Err(Failure::no_result()),
    }
}

fn accepted(started: &BackupsStarted) -> Response {
    let location = match started.runs.as_slice() {
        [one] => format!("/api/v1/runs/{one}"),
        _ => "/api/v1/runs?unfinished=1".to_owned(),
    };
    let headers = [(HeaderName::from_static("operation-location"), location), (RETRY_AFTER, "5".to_owned())];
    (StatusCode::ACCEPTED, headers, Json(started)).into_response()
}

async fn selection(site: &Site, request: &Body) -> Result<Selection, Failure> {
    match (&request.query, request.count) {
        (Some(query), Some(count)) if request.apps.is_empty() => {
            let query = FleetQuery { after: None, ..FleetQuery::from_url(query)? };
            Ok(Selection::Matching { query, count })
        }
        (None, None) if !request.apps.is_empty() => {
            let mut apps = BTreeSet::new();
            for name in &request.apps {
                apps.insert(site.one(name).await?);
            }
            Ok(Selection::Apps(apps))
        }
        _ => Err(bad("Give either apps, or a query with the count of apps that it matches.")),
    }
}
