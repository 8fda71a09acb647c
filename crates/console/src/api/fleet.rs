//! What commands say of the whole fleet: problems, subscriptions, storages, retention, schedules and the forecast.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use holdfast_control::forecast::FleetForecast;
use holdfast_control::retention::RetentionReport;
use holdfast_control::sas::CheckedStorage;
use holdfast_control::schedule_preview::{PreviewRange, SchedulePreview};
use holdfast_control::status::{FleetStatus, status};
use holdfast_control::{Error, budgets};
use holdfast_model::{PolicyName, StorageName, SubscriptionId, parse_timestamp};
use holdfast_store::SubscriptionStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::list::All;
use crate::api::named::given;
use crate::api::once::ApiRequest;
use crate::failure::{ApiFailure, Failure};
use crate::pages::coverage::Asking;
use crate::site::Site;

/// Ticks of a schedule, at most.
const TICKS_MAX: u32 = 366;
/// Ticks of a schedule where no number is given.
const TICKS: u32 = 10;

/// What needs attention.
#[derive(Serialize, ToSchema)]
pub struct Problems {
    #[serde(flatten)]
    status: FleetStatus,
    /// What people should know beside the apps, one sentence each.
    notes: Vec<String>,
}

/// A subscription.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "subscription": "5f2e8a70-0000-0000-0000-000000000000" }))]
pub struct OneSubscription {
    /// Its id.
    subscription: String,
}

/// Budgets that were opened.
#[derive(Serialize, ToSchema)]
pub struct Opened {
    /// How many of its budgets were closed.
    opened: u64,
}

/// What needs attention
///
/// What `holdfast status --problems` shows: apps, subscriptions, what does not answer, and checkpoints of the audit.
#[utoipa::path(get, path = "/api/v1/problems", operation_id = "list_problems", tag = "fleet", responses((status = 200, description = "The problems.", body = Problems)))]
pub async fn problems(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let status = status(site.store(), true).await.map_err(Failure::from)?;
    let notes = status.notes();
    Ok(Json(Problems { status, notes }).into_response())
}

/// Subscriptions
///
/// When Azure last listed the apps of each, and which of its request budgets are closed.
#[utoipa::path(get, path = "/api/v1/subscriptions", operation_id = "list_subscriptions", tag = "fleet", responses((status = 200, description = "The subscriptions.", body = All<SubscriptionStatus>)))]
pub async fn subscriptions(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let value = site.store().subscriptions().await.map_err(Error::from).map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// Open closed budgets
///
/// Opens the request budgets of a subscription that Azure's answers closed.
#[utoipa::path(
    post, path = "/api/v1/budgets/reopen", operation_id = "reopen_budgets", tag = "fleet", request_body = OneSubscription,
    responses((status = 200, description = "How many were opened.", body = Opened)),
    extensions(("x-codes" = json!(["invalid", "not_found", "no_randomness"])))
)]
pub async fn reopen(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let OneSubscription { subscription } = request.json()?;
    let (subscription, actor) = (SubscriptionId::new(&subscription), request.caller.actor);
    let opened = budgets::reopen(site.store(), &subscription, actor, &mut site.rng()?).await;
    let opened = opened.map_err(Failure::from)?;
    site.expire();
    Ok(Json(Opened { opened }).into_response())
}

/// What retention decides
///
/// Which backups of an app or of a policy's apps the rules would delete now, and why they keep the others.
#[utoipa::path(
    get, path = "/api/v1/retention", operation_id = "show_retention", tag = "policies",
    params(
        ("app" = Option<String>, Query, description = "The app, by short name or ARM id."),
        ("policy" = Option<String>, Query, description = "The policy. Either this or `app` is needed."),
    ),
    responses((status = 200, description = "The decisions.", body = RetentionReport)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn retention(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    let (app, policy) = wanted(&site, (query.value("app"), query.value("policy"))).await?;
    if app.is_none() && policy.is_none() {
        return Err(Failure::bad_query("Name an app, or a policy.").into());
    }
    let report = site.azure().retention(app.as_deref(), policy.as_ref()).await.map_err(Failure::from)?;
    Ok(Json(report).into_response())
}

/// When apps are due next
///
/// The next ticks of an app, or the next cron times of a policy or of every policy.
#[utoipa::path(
    get, path = "/api/v1/schedules", operation_id = "preview_schedules", tag = "policies",
    params(
        ("app" = Option<String>, Query, description = "The app, by short name or ARM id."),
        ("policy" = Option<String>, Query, description = "The policy."),
        ("from" = Option<String>, Query, description = "Ticks after this time (RFC 3339); now where none is given."),
        ("count" = Option<u32>, Query, maximum = 366, description = "How many; 10 where no number is given, 366 at most."),
    ),
    responses((status = 200, description = "The schedules.", body = All<SchedulePreview>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn schedules(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    let (app, policy) = wanted(&site, (query.value("app"), query.value("policy"))).await?;
    let from = match query.value("from") {
        "" => site.now().await?,
        text => parse_timestamp(text).map_err(|_| Failure::bad_query("`from` is not RFC 3339."))?,
    };
    let count = match query.value("count") {
        "" => TICKS,
        text => text
            .parse()
            .ok()
            .filter(|count| *count <= TICKS_MAX)
            .ok_or_else(|| Failure::bad_query(format!("`count` is no number of 0 to {TICKS_MAX}.")))?,
    };
    let range = PreviewRange { from, count };
    let value =
        site.azure().schedules(app.as_deref(), policy.as_ref(), range).await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// What the next 24 hours will bring
///
/// What `holdfast plan` forecasts, a few minutes old at most. Until the first forecast is made, the answer is 202.
#[utoipa::path(
    get, path = "/api/v1/forecast", operation_id = "forecast", tag = "policies",
    responses((status = 200, description = "The forecast.", body = FleetForecast), (status = 202, description = "It is being made.", body = Asking))
)]
pub async fn forecast(State(site): State<Arc<Site>>) -> Response {
    let known = site.forecast.read();
    match known.answer {
        Some(dated) => Json(&*dated.answer).into_response(),
        None => (StatusCode::ACCEPTED, [(RETRY_AFTER, "1")], Json(Asking::new("forecasting", known.error)))
            .into_response(),
    }
}

/// Check the SAS of storages
///
/// Asks storage, as `holdfast sas check` does; the answer has fingerprints and dates, and no SAS.
#[utoipa::path(
    get, path = "/api/v1/storages", operation_id = "check_storages", tag = "policies",
    params(("storage" = Option<Vec<String>>, Query, description = "Names of storages; those that policies use where none is named.")),
    responses((status = 200, description = "The storages.", body = All<CheckedStorage>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found", "azure_unavailable"])))
)]
pub async fn storages(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let names: Vec<StorageName> = given(query).values("storage").map(StorageName::new).collect();
    let value = site.azure().check_storages(&names).await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// The app and the policy that a query names.
async fn wanted(
    site: &Site,
    (app, policy): (&str, &str),
) -> Result<(Option<String>, Option<PolicyName>), Failure> {
    let app = if app.is_empty() { None } else { Some(site.one(app).await?.to_string()) };
    Ok((app, Some(policy).filter(|policy| !policy.is_empty()).map(PolicyName::new)))
}
