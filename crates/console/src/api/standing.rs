//! How apps and runs stand, as commands print it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use holdfast_control::freshness::{CheckScope, Freshness, freshness};
use holdfast_control::runs::{HistoryRequest, RunHistory, RunWithEvents, find, history};
use holdfast_control::status::{FleetStatus, status};
use holdfast_model::{InvalidTagFilter, PolicyName, RunId, RunKind, TagFilter};

use crate::api::named::{count, given, named};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Runs of a history where no number is given.
const RUNS: u32 = 20;
/// Runs of a history, at most.
const RUNS_MAX: u32 = 10_000;

/// The status of every app
///
/// What `holdfast status` prints, with subscriptions, what does not answer, and checkpoints of the audit.
#[utoipa::path(
    get, path = "/api/v1/status", operation_id = "show_status", tag = "fleet",
    params(("problems" = Option<u8>, Query, description = "1 for what needs attention alone.")),
    responses((status = 200, description = "The status.", body = FleetStatus))
)]
pub async fn fleet(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let only_problems = given(query).value("problems") == "1";
    let status = status(site.store(), only_problems).await.map_err(Failure::from)?;
    Ok(Json(status).into_response())
}

/// One verdict for a monitoring system
///
/// What `holdfast check` prints: whether apps can be restored to where their policies say.
#[utoipa::path(
    get, path = "/api/v1/check", operation_id = "check_fleet", tag = "fleet",
    params(
        ("app" = Option<String>, Query, description = "Only this app, by short name or ARM id."),
        ("policy" = Option<String>, Query, description = "Only the apps of this policy."),
        ("tag" = Option<Vec<TagFilter>>, Query, description = "Only apps with these tags, all of them: `team=shop`, or `team` with any value."),
    ),
    responses((status = 200, description = "The verdict.", body = Freshness)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found"])))
)]
pub async fn check(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    let tags = query.values("tag").map(str::parse).collect::<Result<_, InvalidTagFilter>>();
    let scope = CheckScope {
        app: named(&query, "app").map(str::to_owned),
        policy: named(&query, "policy").map(PolicyName::new),
        tags: tags.map_err(|error| Failure::bad_query(format!("`tag`: {error}.")))?,
    };
    Ok(Json(freshness(site.store(), &scope).await.map_err(Failure::from)?).into_response())
}

/// The runs of an app
///
/// What `holdfast history` prints, the newest first.
#[utoipa::path(
    get, path = "/api/v1/history", operation_id = "show_history", tag = "runs",
    params(
        ("app" = String, Query, description = "The app, by short name or ARM id."),
        ("kind" = Option<RunKind>, Query, description = "Only this kind."),
        ("limit" = Option<u32>, Query, maximum = 10_000, description = "How many; 20 where no number is given, 10000 at most."),
    ),
    responses((status = 200, description = "The runs.", body = RunHistory)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found"])))
)]
pub async fn of_app(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    let kind = named(&query, "kind").map(str::parse).transpose();
    let kind: Option<RunKind> = kind.map_err(|_| Failure::bad_query("`kind` is no kind of run."))?;
    let limit = count(&query, "limit", RUNS, RUNS_MAX)?;
    let request = HistoryRequest { app: query.value("app").to_owned(), kind, limit };
    Ok(Json(history(site.store(), &request).await.map_err(Failure::from)?).into_response())
}

/// One run with its events
///
/// What `holdfast runs show` prints: the events as the audit has them.
#[utoipa::path(
    get, path = "/api/v1/runs/{id}/events", operation_id = "show_run_events", tag = "runs",
    params(("id" = String, Path, description = "The id of the run.")),
    responses((status = 200, description = "The run and its events.", body = RunWithEvents)),
    extensions(("x-codes" = json!(["invalid_query", "no_such_run", "not_found"])))
)]
pub async fn of_run(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Result<Response, ApiFailure> {
    let id: RunId = id.parse().map_err(|_| Failure::no_run(&id))?;
    Ok(Json(find(site.store(), id).await.map_err(Failure::from)?).into_response())
}
