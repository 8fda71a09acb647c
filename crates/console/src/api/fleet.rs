//! What commands say of the whole fleet: problems, subscriptions, storages, retention, schedules and the forecast.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use holdfast_control::forecast::{FleetForecast, ForecastRequest};
use holdfast_control::retention::RetentionReport;
use holdfast_control::sas::CheckedStorage;
use holdfast_control::schedule_preview::{PreviewRange, SchedulePreview};
use holdfast_control::status::{FleetStatus, status};
use holdfast_control::{Error, budgets};
use holdfast_model::{PolicyName, StorageName, SubscriptionId, Timestamp, parse_timestamp};
use holdfast_store::SubscriptionStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::list::{All, List};
use crate::api::named::{count, given, named};
use crate::api::once::ApiRequest;
use crate::backup_request::SentForm;
use crate::failure::{ApiFailure, Failure};
use crate::pages::coverage::Asking;
use crate::site::Site;

/// Ticks of a schedule, at most.
const TICKS_MAX: u32 = 1_000;
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
/// Which backups of an app, of a policy's apps or of all apps the rules would delete now, and why they keep the others.
#[utoipa::path(
    get, path = "/api/v1/retention", operation_id = "show_retention", tag = "policies",
    params(
        ("app" = Option<String>, Query, description = "The app, by short name or ARM id."),
        ("policy" = Option<String>, Query, description = "The policy."),
    ),
    responses((status = 200, description = "The decisions.", body = RetentionReport)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn retention(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    let (app, policy) = (named(&query, "app"), named(&query, "policy").map(PolicyName::new));
    let report = site.azure.retention(app, policy.as_ref()).await.map_err(Failure::from)?;
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
        ("count" = Option<u32>, Query, maximum = 1000, description = "How many; 10 where no number is given, 1000 at most."),
    ),
    responses((status = 200, description = "The schedules.", body = All<SchedulePreview>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn schedules(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    let (app, policy) = (named(&query, "app"), named(&query, "policy").map(PolicyName::new));
    let (from, count) = (from(&site, &query).await?, count(&query, "count", TICKS, TICKS_MAX)?);
    let range = PreviewRange { from, count };
    let value = site.azure.schedules(app, policy.as_ref(), range).await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// What the coming hours will bring
///
/// What `holdfast plan` forecasts. Without a parameter it is the forecast of the next 24 hours, a few minutes old at most; until the
/// first one is made, the answer is 202.
#[utoipa::path(
    get, path = "/api/v1/forecast", operation_id = "forecast", tag = "policies",
    params(
        ("hours" = Option<u32>, Query, maximum = 744, description = "How many hours; 24 where no number is given, 744 at most."),
        ("from" = Option<String>, Query, description = "From this time (RFC 3339); from now where none is given."),
        ("apps" = Option<u32>, Query, maximum = 200_000, description = "Take the fleet to have this many apps."),
    ),
    responses((status = 200, description = "The forecast.", body = FleetForecast), (status = 202, description = "It is being made.", body = Asking)),
    extensions(("x-codes" = json!(["invalid_query"])))
)]
pub async fn forecast(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    if ["hours", "from", "apps"].iter().any(|name| named(&query, name).is_some()) {
        let (from, hours) = (from(&site, &query).await?, count(&query, "hours", 24, 744)?);
        let apps = usize::try_from(count(&query, "apps", 0, 200_000)?).ok().filter(|apps| *apps > 0);
        let until = from.checked_add_signed(TimeDelta::hours(hours.into()));
        let until = until.ok_or_else(|| Failure::bad_query("`from` is too late."))?;
        let request = ForecastRequest { from, until, apps };
        return Ok(Json(site.azure.forecast_of(request).await.map_err(Failure::from)?).into_response());
    }
    let known = site.forecast.read();
    Ok(match known.answer {
        Some(dated) => Json(&*dated.answer).into_response(),
        None => (StatusCode::ACCEPTED, [(RETRY_AFTER, "1")], Json(Asking::new("forecasting", known.error)))
            .into_response(),
    })
}

/// Check the SAS of storages
///
/// Asks storage, as `holdfast sas check` does; the answer has fingerprints and dates, and no SAS.
#[utoipa::path(
    get, path = "/api/v1/storages", operation_id = "check_storages", tag = "policies",
    params(("storage" = Option<Vec<String>>, Query, description = "Names of storages; those that policies use where none is named.")),
    responses((status = 200, description = "The storages.", body = List<CheckedStorage>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "not_found", "azure_unavailable"])))
)]
pub async fn storages(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let names: Vec<StorageName> = given(query).values("storage").map(StorageName::new).collect();
    let value = site.azure.check_storages(&names).await.map_err(Failure::from)?;
    Ok(Json(List { as_of: site.now().await?, count: None, value, next_link: None }).into_response())
}

/// From when a query asks; from now where it does not say.
async fn from(site: &Site, query: &SentForm) -> Result<Timestamp, Failure> {
    match named(query, "from") {
        None => site.now().await,
        Some(text) => parse_timestamp(text).map_err(|_| Failure::bad_query("`from` is not RFC 3339.")),
    }
}
