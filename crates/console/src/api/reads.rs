//! What the pages show, for programs. Lists have `value` and, where there is more, `nextLink`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use holdfast_control::runs;
use holdfast_control::views::Condition;
use holdfast_control::views::activity::ActivityQuery;
use holdfast_control::views::app::AppView;
use holdfast_control::views::audit_page::{AuditQuery, AuditRow};
use holdfast_control::views::fleet::{FleetQuery, FleetRow, Sort};
use holdfast_control::views::overview::Overview;
use holdfast_control::views::run::RunView;
use holdfast_model::{Cause, Outcome, RunId, RunKind, TagFilter, Trigger};

use crate::api::list::List;
use crate::failure::{ApiFailure, Failure};
use crate::markup::link::with_query;
use crate::pages::{activity_query, activity_url, audit_query, audit_url};
use crate::site::Site;

/// Rows of a page of the API.
const ROWS: usize = 200;

type Answer = Result<Response, ApiFailure>;

/// How the fleet stands
///
/// What the page `/` shows.
#[utoipa::path(get, path = "/api/v1/overview", tag = "fleet", responses((status = 200, description = "How the fleet stands.", body = Overview)))]
pub async fn overview(State(site): State<Arc<Site>>) -> Answer {
    Ok(Json(site.overview().await?).into_response())
}

/// Apps of the fleet
///
/// Values of one parameter are alternatives, but for tags; different parameters all apply.
#[utoipa::path(
    get, path = "/api/v1/apps", operation_id = "list_apps", tag = "fleet",
    params(
        ("q" = Option<String>, Query, description = "Words that the short name, the resource group or the policy holds, all of them."),
        ("policy" = Option<Vec<String>>, Query, description = "Policies; an empty name stands for no policy."),
        ("subscription" = Option<Vec<String>>, Query, description = "Subscriptions, by id."),
        ("group" = Option<Vec<String>>, Query, description = "Resource groups."),
        ("tag" = Option<Vec<TagFilter>>, Query, description = "Tags that an app must have, all of them: `team=shop`, or `team` with any value."),
        ("condition" = Option<Vec<Condition>>, Query, description = "Conditions. Without any, apps that left the fleet are left out."),
        ("cause" = Option<Vec<Cause>>, Query, description = "Causes of the last failure or of the latest missed tick."),
        ("recent" = Option<u8>, Query, description = "1 for apps whose last failure or missed tick is of the last 24 hours."),
        ("sort" = Option<Sort>, Query, description = "The order; `worst` where none is given."),
        ("reverse" = Option<u8>, Query, description = "1 for the reverse order."),
        ("after" = Option<String>, Query, description = "The place after which the page goes on, from `nextLink`."),
    ),
    responses((status = 200, description = "A page of apps.", body = List<FleetRow>)),
    extensions(("x-codes" = json!(["invalid"])))
)]
pub async fn apps(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Answer {
    let query = FleetQuery::from_url(&query.unwrap_or_default()).map_err(Failure::from)?;
    let page = site.fleet(&query, ROWS).await?;
    let next = |after| with_query("/api/v1/apps", &FleetQuery { after: Some(after), ..query }.to_url());
    let (as_of, count, next_link) = (page.as_of, Some(page.matching), page.next.map(next));
    Ok(Json(List { as_of, count, value: page.rows, next_link }).into_response())
}

/// One app
///
/// With its recovery points, runs, next ticks and the last year.
#[utoipa::path(
    get, path = "/api/v1/apps/{name}", operation_id = "show_app", tag = "fleet",
    params(("name" = String, Path, description = "The short name, such as `shop` or `shop/staging`, or the ARM id. A slash may be `%2F`.")),
    responses((status = 200, description = "The app.", body = AppView)),
    extensions(("x-codes" = json!(["invalid_query", "no_such_app", "not_found", "ambiguous_app"])))
)]
pub async fn app(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Answer {
    let id = site.one(&name).await?;
    Ok(Json(site.app(&id).await?).into_response())
}

/// Runs, the newest first
///
/// Values of one parameter are alternatives; different parameters all apply.
#[utoipa::path(
    get, path = "/api/v1/runs", operation_id = "list_runs", tag = "runs",
    params(
        ("app" = Option<String>, Query, description = "Only this app, by ARM id."),
        ("kind" = Option<RunKind>, Query, description = "Only this kind."),
        ("outcome" = Option<Vec<Outcome>>, Query, description = "Only runs that ended in one of these ways."),
        ("cause" = Option<Cause>, Query, description = "Only runs with this cause."),
        ("trigger" = Option<Trigger>, Query, description = "Only runs that this planned."),
        ("unfinished" = Option<u8>, Query, description = "1 for runs that have not ended."),
        ("after" = Option<String>, Query, description = "The place after which the page goes on, from `nextLink`."),
    ),
    responses((status = 200, description = "A page of runs.", body = List<runs::RunView>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query"])))
)]
pub async fn runs(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Answer {
    let query = activity_query(&query.unwrap_or_default())?;
    let page = site.activity(&query).await?;
    let next =
        |after| with_query("/api/v1/runs", &activity_url(&ActivityQuery { after: Some(after), ..query }));
    let (as_of, next_link) = (page.as_of, page.next.map(next));
    Ok(Json(List { as_of, count: None, value: page.rows, next_link }).into_response())
}

/// One run
///
/// With each of its events, Azure's words and request ids, and its place in the audit.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}", operation_id = "show_run", tag = "runs",
    params(("id" = String, Path, description = "The id of the run.")),
    responses((status = 200, description = "The run.", body = RunView)),
    extensions(("x-codes" = json!(["invalid_query", "no_such_run", "not_found"])))
)]
pub async fn run(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    let id: RunId = id.parse().map_err(|_| Failure::no_run(&id))?;
    Ok(Json(site.run(id).await?).into_response())
}

/// What people did, the newest first
///
/// Events of the audit that a person caused. A page may have few rows and still a next one.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list_audit", tag = "audit",
    params(
        ("person" = Option<String>, Query, description = "Only this person, by the claimed name."),
        ("app" = Option<String>, Query, description = "Only this app, by ARM id."),
        ("kind" = Option<String>, Query, description = "Only this kind of run or operator action."),
        ("after" = Option<String>, Query, description = "The place after which the page goes on, from `nextLink`."),
    ),
    responses((status = 200, description = "A page of events.", body = List<AuditRow>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query"])))
)]
pub async fn audit(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Answer {
    let query = audit_query(&query.unwrap_or_default())?;
    let page = site.audit(&query).await?;
    let next = |after| with_query("/api/v1/audit", &audit_url(&AuditQuery { after: Some(after), ..query }));
    let (as_of, next_link) = (page.as_of, page.next.map(next));
    Ok(Json(List { as_of, count: None, value: page.rows, next_link }).into_response())
}

/// The description of the API
///
/// This document, in OpenAPI 3.1.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "about", responses((status = 200, description = "The document.", body = Object)))]
pub async fn openapi() -> Response {
    const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");
    ([(axum::http::header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
