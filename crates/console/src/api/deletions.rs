//! Deletions: planned, and started where the name of the app was typed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holdfast_control::approvals::Started;
use holdfast_control::counted;
use holdfast_control::deletion::{Allowed, DeletionPlan, DeletionRequest, PlannedDeletions};
use holdfast_model::{BackupId, StorageName};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::named::app_of;
use crate::api::once::ApiRequest;
use crate::api::started::{asks, started, starts};
use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Backups of an app to delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "app": "shop", "backups": [458_165], "confirm": "shop" }))]
pub struct NewDeletion {
    /// The app, by short name or ARM id.
    app: String,
    /// Azure's numbers of the backups.
    backups: Vec<i64>,
    /// Whether backups that the catalog does not have may be deleted.
    #[serde(default)]
    foreign: bool,
    /// Whether the last backup that the app can be restored from may be deleted.
    #[serde(default)]
    allow_last: bool,
    /// The storage that holds foreign backups; that of the app's policy where none is named.
    storage: Option<String>,
    /// The short name of the app, to confirm.
    #[serde(default)]
    confirm: String,
}

/// Plan a deletion
///
/// Changes nothing. A held backup is refused, and so is the last good one without `allow_last`.
#[utoipa::path(
    post, path = "/api/v1/deletions/plan", operation_id = "plan_deletion", tag = "backups", request_body = NewDeletion,
    responses((status = 200, description = "The plan.", body = PlannedDeletions)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn plan(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let plan = planned(&site, &request.caller, &request.json()?).await?;
    Ok(Json(PlannedDeletions::from(&plan)).into_response())
}

/// Delete backups
///
/// Plans again, and starts what is planned where `confirm` is the short name of the app.
#[utoipa::path(
    post, path = "/api/v1/deletions", operation_id = "delete_backups", tag = "backups", request_body = NewDeletion,
    responses((status = 202, description = "What was started.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "not_confirmed", "no_such_app", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn start(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let wanted: NewDeletion = request.json()?;
    let work = |site: Arc<Site>, _, caller: Caller| async move {
        let plan = planned(&site, &caller, &wanted).await?;
        let word = plan.app.id.short_name();
        if wanted.confirm.trim() != word {
            let detail = format!("`confirm` is not {word}, so nothing was deleted.");
            let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
            return Err(failure.help("Send the short name of the app, as the plan has it."));
        }
        let backups = counted(plan.backups.len(), "backup");
        Ok(Work::Act(match site.azure.delete(&caller.actor, &plan, site.rng()?).await? {
            Started::Runs(added) => {
                starts(&plan.app.id, &added, &format!("The deletion of {backups} of {word} starts."))
            }
            Started::Asked(approval) => asks(&approval, &format!("deletion of {backups} of {word}")),
        }))
    };
    Ok(started(&request.once(&site, work).await?.work)?)
}

async fn planned(site: &Site, caller: &Caller, wanted: &NewDeletion) -> Result<DeletionPlan, Failure> {
    let app = app_of(site, caller, &wanted.app).await?.to_string();
    let NewDeletion { backups, foreign, allow_last, storage, .. } = wanted;
    if backups.is_empty() {
        return Err(crate::api::once::bad("`backups` names no backup."));
    }
    let request = DeletionRequest {
        app,
        backups: backups.iter().copied().map(BackupId).collect(),
        allowed: Allowed { foreign: *foreign, last: *allow_last },
        storage: storage.as_deref().map(StorageName::new),
    };
    Ok(site.azure.plan_deletion(&caller.actor, &request).await?)
}
