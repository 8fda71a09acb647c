//! The API: what the pages show, for programs. Lists have `value` and, where there is more, `nextLink`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use holdfast_control::views::activity::ActivityQuery;
use holdfast_control::views::audit_page::AuditQuery;
use holdfast_control::views::fleet::FleetQuery;
use holdfast_model::{RunId, Timestamp};
use serde::Serialize;

use crate::failure::{ApiFailure, Failure};
use crate::markup::link::with_query;
use crate::pages::{activity_query, activity_url, audit_query, audit_url};
use crate::site::{NamedApp, Site};

/// Rows of a page of the API.
const ROWS: usize = 200;

type Answer = Result<Response, ApiFailure>;

/// One page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<T> {
    as_of: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    value: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_link: Option<String>,
}

/// `GET /api/v1/overview`
pub async fn overview(State(site): State<Arc<Site>>) -> Answer {
    Ok(Json(site.overview().await?).into_response())
}

/// `GET /api/v1/apps`
pub async fn apps(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Answer {
    let query = FleetQuery::from_url(&query.unwrap_or_default()).map_err(Failure::from)?;
    let page = site.fleet(&query, ROWS).await?;
    let next = |after| with_query("/api/v1/apps", &FleetQuery { after: Some(after), ..query }.to_url());
    let (as_of, count, next_link) = (page.as_of, Some(page.matching), page.next.map(next));
    Ok(Json(List { as_of, count, value: page.rows, next_link }).into_response())
}

/// `GET /api/v1/apps/{id}`: by short name or by ARM id without its first slash.
pub async fn app(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Answer {
    match site.named(&name).await? {
        NamedApp::One(id) => Ok(Json(site.app(&id).await?).into_response()),
        NamedApp::Several(ids) => Err(Failure::several(&name, &ids).into()),
    }
}

/// `GET /api/v1/runs`
pub async fn runs(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Answer {
    let query = activity_query(&query.unwrap_or_default())?;
    let page = site.activity(&query).await?;
    let next =
        |after| with_query("/api/v1/runs", &activity_url(&ActivityQuery { after: Some(after), ..query }));
    let (as_of, next_link) = (page.as_of, page.next.map(next));
    Ok(Json(List { as_of, count: None, value: page.rows, next_link }).into_response())
}

/// `GET /api/v1/runs/{id}`
pub async fn run(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    let id: RunId = id.parse().map_err(|_| Failure::no_run(&id))?;
    Ok(Json(site.run(id).await?).into_response())
}

/// `GET /api/v1/audit`
pub async fn audit(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Answer {
    let query = audit_query(&query.unwrap_or_default())?;
    let page = site.audit(&query).await?;
    let next = |after| with_query("/api/v1/audit", &audit_url(&AuditQuery { after: Some(after), ..query }));
    let (as_of, next_link) = (page.as_of, page.next.map(next));
    Ok(Json(List { as_of, count: None, value: page.rows, next_link }).into_response())
}
