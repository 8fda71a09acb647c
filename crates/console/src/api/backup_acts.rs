//! Acts on the backups of an app: reveal, adopt, verify, and new SAS.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use holdfast_control::adoption::{Adopted, AdoptionRequest};
use holdfast_control::counted;
use holdfast_control::verify::VerifyReport;
use holdfast_model::{AppId, BackupId, StorageName};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::named::app_of;
use crate::api::native_schedules::{SomeApps, selection};
use crate::api::once::ApiRequest;
use crate::api::started::{started, starts};
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// A backup of an app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "app": "shop", "backup": 458_165 }))]
pub struct OneBackup {
    /// The app, by short name or ARM id.
    app: String,
    /// Azure's number of the backup.
    backup: i64,
}

/// A secret.
#[derive(Serialize, ToSchema)]
pub struct Revealed<'a> {
    /// The URL of the container, with the SAS that Azure keeps with the backup: a secret.
    storage_url: &'a str,
}

/// Backups that others took, and that the catalog shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "app": "shop", "backups": [458_165] }))]
pub struct NewAdoption {
    /// The app, by short name or ARM id.
    app: String,
    /// Azure's numbers of the backups.
    backups: Vec<i64>,
    /// The storage that holds them; that of the app's policy where none is named.
    storage: Option<String>,
}

/// Backups that were adopted.
#[derive(Serialize, ToSchema)]
pub struct AdoptedBackups {
    /// The app.
    app: AppId,
    /// The storage that holds them.
    storage: StorageName,
    /// Azure's numbers of the backups.
    backups: Vec<i64>,
}

/// An app, or one of its backups.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "app": "shop" }))]
pub struct NewSas {
    /// The app, by short name or ARM id.
    app: String,
    /// Azure's number of the backup; all of the app where none is given.
    backup: Option<i64>,
}

/// Reveal the SAS of a backup
///
/// The audit records who asks before Azure is asked. The answer is a secret, and is cached nowhere.
#[utoipa::path(
    post, path = "/api/v1/backups/reveal", operation_id = "reveal_sas", tag = "backups", request_body = OneBackup,
    responses((status = 200, description = "The secret.", body = Revealed<'static>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn reveal(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let OneBackup { app, backup } = request.json()?;
    let app = app_of(&site, &request.caller, &app).await?.to_string();
    let (actor, rng) = (&request.caller.actor, site.rng()?);
    let url = site.azure().reveal(actor, &app, BackupId(backup), rng).await.map_err(Failure::from)?;
    Ok(Json(Revealed { storage_url: url.expose_secret() }).into_response())
}

/// Adopt backups that others took
///
/// The catalog has them from then on, and retention decides about them.
#[utoipa::path(
    post, path = "/api/v1/backups/adopt", operation_id = "adopt_backups", tag = "backups", request_body = NewAdoption,
    responses((status = 200, description = "The backups.", body = AdoptedBackups)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn adopt(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewAdoption { app, backups, storage } = request.json()?;
    let app = app_of(&site, &request.caller, &app).await?.to_string();
    let backups = backups.into_iter().map(BackupId).collect();
    let wanted = AdoptionRequest { app, backups, storage: storage.map(StorageName::new) };
    let adopted = site.azure().adopt(&request.caller.actor, &wanted, site.rng()?).await;
    let Adopted { app, storage, backups } = adopted.map_err(Failure::from)?;
    site.expire();
    let backups = backups.iter().map(|backup| backup.id.0).collect();
    Ok(Json(AdoptedBackups { app, storage, backups }).into_response())
}

/// Verify the backups of apps
///
/// Reads Azure's list and each blob, and records what is verified and what is lost.
#[utoipa::path(
    post, path = "/api/v1/verifications", operation_id = "verify_backups", tag = "backups", request_body = SomeApps,
    responses((status = 200, description = "What was found.", body = VerifyReport)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "azure_unavailable"])))
)]
pub async fn verify(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let SomeApps { apps, all } = request.json()?;
    let apps = selection(&site, &request.caller, (&apps, all)).await?;
    let (actor, rng) = (&request.caller.actor, site.rng()?);
    let report = site.azure().verify(actor, &apps, rng, &|| ()).await.map_err(Failure::from)?;
    site.expire();
    Ok(Json(report).into_response())
}

/// Replace the SAS of backups
///
/// Azure keeps a SAS with each backup, and deletes the backup with it.
#[utoipa::path(
    post, path = "/api/v1/sas/refresh", operation_id = "refresh_sas", tag = "backups", request_body = NewSas,
    responses((status = 202, description = "What was started.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "refused"])))
)]
pub async fn refresh_sas(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let NewSas { app, backup } = request.json()?;
    let app = app_of(&site, &request.caller, &app).await?;
    let work = |site: Arc<Site>, _, caller: crate::caller::Caller| async move {
        let (rng, backup) = (site.rng()?, backup.map(BackupId));
        let added = site.azure().refresh_sas(&caller.actor, &app.to_string(), backup, rng).await?;
        let what = format!("The SAS of {} of {}", counted(added.ids.len(), "backup"), app.short_name());
        Ok(Work::Act(starts(&app, &added, &format!("{what} is replaced."))))
    };
    Ok(started(&request.once(&site, work).await?.work)?)
}
