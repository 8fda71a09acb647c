//! Backups: what the catalog has, and what Azure has beside it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use holdfast_control::Inventory;
use holdfast_control::doctor::Finding;
use holdfast_control::inventory::BackupView;
use holdfast_model::{AppId, BackupId, CatalogEntry, PolicyName, Timestamp};
use holdfast_store::CatalogFilter;
use serde::Serialize;
use url::form_urlencoded::Serializer;
use utoipa::ToSchema;

use crate::api::list::{All, List};
use crate::api::named::{app_of, given, number, wanted};
use crate::caller::Caller;
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Apps of a page of the catalog. Each comes with all its backups.
const APPS: u32 = 20;

/// An app's backups, from Azure and from the catalog.
#[derive(Serialize, ToSchema)]
#[schema(as = AppBackups)]
pub struct Backups {
    /// When they were read.
    as_of: Timestamp,
    /// The app.
    app: AppId,
    /// Its policy.
    policy: Option<PolicyName>,
    /// The backups, the newest first.
    value: Vec<BackupView>,
}

/// One backup of an app.
#[derive(Serialize, ToSchema)]
pub struct ShownBackup {
    /// When it was read.
    as_of: Timestamp,
    /// The app.
    app: AppId,
    /// The backup.
    #[serde(flatten)]
    backup: BackupView,
}

/// Backups of the catalog
///
/// By app, 20 apps a page, each with all its backups. The last page is empty.
#[utoipa::path(
    get, path = "/api/v1/backups", operation_id = "list_backups", tag = "backups",
    params(
        ("app" = Option<String>, Query, description = "Only this app, by short name or ARM id."),
        ("removed" = Option<u8>, Query, description = "1 for backups that are no longer there, too."),
        ("after" = Option<String>, Query, description = "The place after which the page goes on, from `nextLink`."),
    ),
    responses((status = 200, description = "A page of backups.", body = List<CatalogEntry>)),
    extensions(("x-codes" = json!(["invalid_query", "no_such_app", "ambiguous_app"])))
)]
pub async fn list(State(site): State<Arc<Site>>, query: RawQuery) -> Result<Response, ApiFailure> {
    let query = given(query);
    let after = match query.value("after") {
        "" => None,
        id => Some(id.parse::<AppId>().map_err(|_| Failure::bad_query("`after` is of no nextLink."))?),
    };
    let app = wanted(&site, &query).await?;
    let with_removed = query.value("removed") == "1";
    let most_apps = if app.is_some() { 0 } else { APPS };
    let filter =
        CatalogFilter { app: app.clone(), after, with_removed, most_apps, ..CatalogFilter::default() };
    let as_of = site.now().await?;
    let value = site.store().catalog(&filter).await.map_err(holdfast_control::Error::from)?;
    let last = value.iter().map(|entry| &entry.app).max().filter(|_| app.is_none());
    let next_link = last.map(|last| {
        let mut next = Serializer::new("/api/v1/backups?".to_owned());
        next.append_pair("after", &last.to_string());
        if with_removed {
            next.append_pair("removed", "1");
        }
        next.finish()
    });
    Ok(Json(List { as_of, count: None, value, next_link }).into_response())
}

/// Backups of an app, as Azure has them
///
/// The catalog beside Azure's list, with who took each backup, what is wrong with it, and what retention would do.
#[utoipa::path(
    get, path = "/api/v1/inventory", operation_id = "list_inventory", tag = "backups",
    params(
        ("app" = String, Query, description = "The app, by short name or ARM id."),
        ("removed" = Option<u8>, Query, description = "1 for backups that are no longer there, too."),
    ),
    responses((status = 200, description = "The backups.", body = Backups)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "azure_unavailable"])))
)]
pub async fn inventory(
    State(site): State<Arc<Site>>,
    caller: Caller,
    query: RawQuery,
) -> Result<Response, ApiFailure> {
    let query = given(query);
    let app = app_of(&site, &caller, query.value("app")).await?;
    let found = site.azure().inventory(&caller.actor, &app.to_string()).await.map_err(Failure::from)?;
    let found = if query.value("removed") == "1" { found } else { found.without_removed() };
    let Inventory { app, now, items, .. } = found;
    let value = items.iter().map(BackupView::from).collect();
    Ok(Json(Backups { as_of: now, app: app.id, policy: app.policy, value }).into_response())
}

/// One backup, as Azure has it
///
/// The catalog beside Azure's list.
#[utoipa::path(
    get, path = "/api/v1/backups/{number}", operation_id = "show_backup", tag = "backups",
    params(
        ("number" = i64, Path, description = "Azure's number of the backup."),
        ("app" = String, Query, description = "The app, by short name or ARM id."),
    ),
    responses((status = 200, description = "The backup.", body = ShownBackup)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "azure_unavailable"])))
)]
pub async fn show(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    query: RawQuery,
) -> Result<Response, ApiFailure> {
    let id = BackupId(number(&id)?);
    let app = app_of(&site, &caller, given(query).value("app")).await?;
    let found = site.azure().inventory(&caller.actor, &app.to_string()).await.map_err(Failure::from)?;
    let backup = found.get(id).map_err(Failure::from)?.into();
    Ok(Json(ShownBackup { as_of: found.now, app: found.app.id.clone(), backup }).into_response())
}

/// Check what the backups of an app depend on
///
/// As `holdfast doctor APP` does: the subscription, the storage, the tier and the settings of the app, each with what to do.
#[utoipa::path(
    get, path = "/api/v1/doctor", operation_id = "check_app", tag = "backups",
    params(("app" = String, Query, description = "The app, by short name or ARM id.")),
    responses((status = 200, description = "What was found.", body = All<Finding>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "azure_unavailable"])))
)]
pub async fn check(
    State(site): State<Arc<Site>>,
    caller: Caller,
    query: RawQuery,
) -> Result<Response, ApiFailure> {
    let app = app_of(&site, &caller, given(query).value("app")).await?;
    let value = site.azure().check_app(&app.to_string()).await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}
