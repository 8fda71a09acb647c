//! `POST /api/v1/backups` and `POST /api/v1/runs/retry`: backs up apps now.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_access::Scope;
use holdfast_control::app_resolver::AppSelection;
use holdfast_control::backup::BackupRequest;
use holdfast_control::counted;
use holdfast_control::retry::RunSelection;
use holdfast_control::views::actions::{BackupPreview, BackupsStarted, Selection};
use holdfast_control::views::activity::ActivityQuery;
use holdfast_control::views::fleet::FleetQuery;
use holdfast_model::{AppId, PolicyName, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::named::app_of;
use crate::api::once::{ApiRequest, bad};
use crate::api::started::{started, starts};
use crate::backup_request::{self, Asked, Resolved};
use crate::caller::Caller;
use crate::done::{ActDone, Work};
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

/// Apps that are all backed up, or none of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "apps": ["shop"] }))]
pub struct NamedBackups {
    /// Short names or ARM ids, also of apps that Azure has and Holdfast does not know yet.
    apps: Vec<String>,
    /// A policy to use in place of each app's own.
    policy: Option<String>,
}

/// Apps, or runs whose apps are backed up again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanBackups, example = json!({ "apps": ["shop"] }))]
pub struct PlanBody {
    /// Short names or ARM ids.
    #[serde(default)]
    apps: Vec<String>,
    /// Ids of backup runs.
    #[serde(default)]
    runs: BTreeSet<RunId>,
}

/// What a request for backups will do.
#[derive(Serialize, ToSchema)]
pub struct PlannedBackups {
    /// The store's time.
    as_of: Timestamp,
    /// The preview.
    #[serde(flatten)]
    preview: BackupPreview,
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

/// Plan backups
///
/// What is backed up, what is left out and why, and what that costs of Azure's budget. Changes nothing.
#[utoipa::path(
    post, path = "/api/v1/backups/plan", operation_id = "plan_backups", tag = "acts", request_body = PlanBody,
    responses((status = 200, description = "The plan.", body = PlannedBackups)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "ambiguous_app", "not_found", "conflict", "store_unavailable"])))
)]
pub async fn plan(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let PlanBody { apps, runs } = request.json()?;
    let asked = match (apps.as_slice(), runs.is_empty()) {
        ([], false) => Asked::Runs(RunSelection::Runs(runs)),
        (apps, true) if !apps.is_empty() => Asked::Apps(Selection::Apps(ids(&site, apps).await?)),
        _ => return Err(bad("Give either apps, or runs.").into()),
    };
    let reading = site.reading_now().await?.reading;
    let Resolved { selection, left_out, .. } = site.resolve(&reading, asked).await?;
    let mut preview = site.backups().preview(&reading, &selection).map_err(Failure::from)?;
    backup_request::in_scope(&request.caller.principal, &reading, &preview)?;
    preview.left_out.extend(left_out);
    Ok(Json(PlannedBackups { as_of: reading.at, preview }).into_response())
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

/// Back up named apps now
///
/// All of them, or none where one cannot be backed up. Azure is asked for apps that Holdfast does not know yet.
#[utoipa::path(
    post, path = "/api/v1/backups/named", operation_id = "back_up_named", tag = "acts", request_body = NamedBackups,
    responses((status = 202, description = "The runs that were added.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "ambiguous_app", "not_found", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn start_named(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NamedBackups { apps, policy } = request.json()?;
    if apps.is_empty() {
        return Err(bad("`apps` names no app.").into());
    }
    if request.caller.principal.scope != Scope::ALL {
        for name in &apps {
            app_of(&site, &request.caller, name).await?;
        }
    }
    let wanted = BackupRequest { apps: AppSelection::Named(apps), policy: policy.map(PolicyName::new) };
    let work = |site: Arc<Site>, _, caller: Caller| async move {
        let added = site.azure().back_up(&caller.actor, &wanted, site.rng()?).await?;
        let first = added.ids.first().copied().ok_or_else(Failure::no_result)?;
        let app = site.run(first).await?.run.app;
        Ok(Work::Act(starts(&app, &added, &format!("{} added.", counted(added.ids.len(), "run")))))
    };
    Ok(started(&request.once(&site, work).await?.work)?)
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
        Work::Act(_) | Work::Verification => Err(Failure::no_result()),
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
        (None, None) if !request.apps.is_empty() => Ok(Selection::Apps(ids(site, &request.apps).await?)),
        _ => Err(bad("Give either apps, or a query with the count of apps that it matches.")),
    }
}

async fn ids(site: &Site, names: &[String]) -> Result<BTreeSet<AppId>, Failure> {
    let mut apps = BTreeSet::new();
    for name in names {
        apps.insert(site.one(name).await?);
    }
    Ok(apps)
}
