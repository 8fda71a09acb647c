//! Holds: a person's instruction not to delete a backup.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use holdfast_control::holds;
use holdfast_model::CatalogEntry;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::acts::ActKind;
use crate::api::acts::act;
use crate::api::list::List;
use crate::api::named::{given, named};
use crate::api::once::ApiRequest;
use crate::done::ActDone;
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// A backup to hold or to release, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "app": "shop", "backup": 458_165, "reason": "lawsuit 7" }))]
pub struct NewHold {
    /// The app, by short name or ARM id.
    app: String,
    /// Azure's number of the backup.
    backup: i64,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Held backups
#[utoipa::path(
    get, path = "/api/v1/holds", operation_id = "list_holds", tag = "backups",
    params(("app" = Option<String>, Query, description = "Only this app, by short name or ARM id.")),
    responses((status = 200, description = "The backups.", body = List<CatalogEntry>)),
    extensions(("x-codes" = json!(["invalid", "not_found"])))
)]
pub async fn list(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let value = holds::list(site.store(), named(&given(query), "app")).await.map_err(Failure::from)?;
    Ok(Json(List { as_of: site.now().await?, count: None, value, next_link: None }).into_response())
}

/// Hold a backup
///
/// Nothing deletes it until the hold is released.
#[utoipa::path(
    post, path = "/api/v1/holds", operation_id = "hold_backup", tag = "backups", request_body = NewHold,
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn hold(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    change_hold(&site, ActKind::Hold, request).await
}

/// Release a held backup
///
/// Retention decides about it again.
#[utoipa::path(
    post, path = "/api/v1/holds/release", operation_id = "release_backup", tag = "backups", request_body = NewHold,
    responses((status = 200, description = "What was done.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict"])))
)]
pub async fn release(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    change_hold(&site, ActKind::Release, request).await
}

async fn change_hold(site: &Arc<Site>, kind: ActKind, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewHold { app, backup, reason } = request.json()?;
    let app = site.one(&app).await?.to_string();
    let fields = [("app", app), ("backup", backup.to_string()), ("reason", reason)];
    Ok(act(site, kind, &fields, request).await?)
}
