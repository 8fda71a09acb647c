//! Pauses of several apps at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use holdfast_control::pause::{PauseRequest, ResumeRequest, pause, resume};
use holdfast_model::{AppId, Timestamp, parse_timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::named::app_of;
use crate::api::once::{ApiRequest, bad};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Apps to pause, until when, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPauses, example = json!({ "apps": ["shop"], "until": "2027-01-31T06:00:00Z", "reason": "release" }))]
pub struct Pauses {
    /// Short names or ARM ids.
    apps: Vec<String>,
    /// Until when (RFC 3339).
    until: String,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Apps to resume, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EndOfPauses, example = json!({ "apps": ["shop"], "reason": "released" }))]
pub struct Ends {
    /// Short names or ARM ids.
    apps: Vec<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// What was done with several apps.
#[derive(Serialize, ToSchema)]
pub struct Steered {
    /// The store's time.
    as_of: Timestamp,
    /// The apps.
    apps: BTreeSet<AppId>,
}

/// Pause apps
///
/// All of them, or none where one cannot be paused. Runs under way go on.
#[utoipa::path(
    post, path = "/api/v1/pauses", operation_id = "pause_apps", tag = "acts", request_body = Pauses,
    responses((status = 200, description = "What was done.", body = Steered)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn begin(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let Pauses { apps, until, reason } = request.json()?;
    let until = parse_timestamp(&until).map_err(|_| bad("`until` is not RFC 3339."))?;
    let (apps, actor) = (named(&site, &request, &apps).await?, request.caller.actor);
    let wanted = PauseRequest { apps: apps.clone(), until, reason, actor };
    pause(site.store(), &wanted, &mut site.rng()?).await.map_err(Failure::from)?;
    site.expire();
    Ok(Json(Steered { as_of: site.now().await?, apps }).into_response())
}

/// Resume apps
///
/// Ends the pauses of all of them, or of none where one is not paused. Ticks of the pauses are not run.
#[utoipa::path(
    post, path = "/api/v1/pauses/end", operation_id = "resume_apps", tag = "acts", request_body = Ends,
    responses((status = 200, description = "What was done.", body = Steered)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn end(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let Ends { apps, reason } = request.json()?;
    let (apps, actor) = (named(&site, &request, &apps).await?, request.caller.actor);
    let wanted = ResumeRequest { apps: apps.clone(), reason, actor };
    resume(site.store(), &wanted, &mut site.rng()?).await.map_err(Failure::from)?;
    site.expire();
    Ok(Json(Steered { as_of: site.now().await?, apps }).into_response())
}

/// The apps that are named, which must be in the scope of the caller.
async fn named(site: &Site, request: &ApiRequest, names: &[String]) -> Result<BTreeSet<AppId>, Failure> {
    let mut apps = BTreeSet::new();
    for name in names {
        apps.insert(app_of(site, &request.caller, name).await?);
    }
    if apps.is_empty() {
        return Err(bad("`apps` names no app."));
    }
    Ok(apps)
}
