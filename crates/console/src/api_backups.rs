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

use crate::api_once::{ApiRequest, bad};
use crate::backup_request::{self, Asked};
use crate::done::Work;
use crate::failure::{ApiFailure, Failure};
use crate::pages::activity_query;
use crate::site::{NamedApp, Site};

/// The body of a request: apps, or a query with the number of apps that it matches.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    apps: Vec<String>,
    query: Option<String>,
    count: Option<usize>,
}

/// The body of a retry: runs, or a query of the activity with the number of runs that it matches.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryBody {
    #[serde(default)]
    runs: BTreeSet<RunId>,
    query: Option<String>,
    count: Option<usize>,
}

/// Backs up apps now. With the header `Idempotency-Key`, a request that is sent again is answered and does nothing.
pub async fn start(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    if let Some(Work::Backups(started)) = request.sent_before(&site).await? {
        return Ok(accepted(&started));
    }
    let asked = Asked::Apps(selection(&site, &request.json()?).await?);
    Ok(back_up(&site, request, asked).await?)
}

/// Backs up the apps of runs that did not succeed again, each app once.
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
                match site.named(name).await? {
                    NamedApp::One(id) => apps.insert(id),
                    NamedApp::Several(ids) => return Err(Failure::several(name, &ids)),
                };
            }
            Ok(Selection::Apps(apps))
        }
        _ => Err(bad("Give either apps, or a query with the count of apps that it matches.")),
    }
}
