//! WebApps_Restore: accepts a restore. Azure uses the blob that the body names and ignores the id in the path:
//! azure-cli sends 0. Storage is not read before the work begins.

use holdfast_model::{AppId, BackupId};
use serde_json::json;

use super::properties::Properties;
use super::{Call, OperationResult, bad_request, get_site, site_not_found, tier};
use crate::Response;
use crate::azure::Azure;
use crate::azure::restore::RestoreRequest;

pub(super) fn perform(azure: &mut Azure, app: &AppId, id: BackupId, call: &Call<'_>) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    let blob = site.backups.get(&id).map(crate::azure::backup::Backup::blob);
    start(azure, app, blob, call)
}

/// Starts a restore of the blob that the body names, or else of this one.
pub(super) fn start(
    azure: &mut Azure,
    app: &AppId,
    blob: Option<String>,
    call: &Call<'_>,
) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    tier::refuse(app, site.facts.site.tier.as_deref())?;
    let asked = read(app, blob, call)?;
    if let Some(target) = azure.sites.get(&asked.target) {
        tier::refuse(&asked.target, target.facts.site.tier.as_deref())?;
    }
    if azure.is_busy(&asked.target) {
        return Err(azure.conflict("Restore"));
    }
    let operation = azure.accept_restore(asked).ok_or_else(|| site_not_found(app))?;
    Ok(accepted(app, &operation, call))
}

fn read(app: &AppId, blob: Option<String>, call: &Call<'_>) -> Result<RestoreRequest, Response> {
    let properties = Properties::of(call.request)?;
    let storage_url = properties.storage_url()?;
    let blob = properties.text("blobName").or(blob);
    let blob = blob.ok_or_else(|| bad_request("The property 'blobName' is required."))?;
    let overwrite = properties.flag("overwrite");
    let overwrite = overwrite.ok_or_else(|| bad_request("The property 'overwrite' is required."))?;
    let target = match properties.text("siteName") {
        Some(name) => {
            target(app, &name).ok_or_else(|| bad_request("The property 'siteName' names no site."))?
        }
        None => app.clone(),
    };
    Ok(RestoreRequest {
        app: app.clone(),
        target,
        storage_url,
        blob,
        overwrite,
        plan: properties.text("appServicePlan"),
        databases: properties.databases(),
        ignore_databases: properties.flag("ignoreDatabases").unwrap_or(false),
    })
}

/// The site `NAME` or slot `NAME(SLOT)` beside an app.
fn target(app: &AppId, name: &str) -> Option<AppId> {
    let (site, slot) = match name.split_once('(') {
        Some((site, slot)) => (site, Some(slot.strip_suffix(')')?)),
        None => (name, None),
    };
    let target = AppId::new(app.subscription().as_str(), app.resource_group(), site, slot);
    // An invalid id is refused.
    target.to_string().parse().ok()
}

/// 202 with a link and nothing else (azure-cli recording of 2023); in 2016 200 and the operation's id.
fn accepted(app: &AppId, operation: &str, call: &Call<'_>) -> Response {
    if call.api_version < "2018" {
        let (kind, name) = (get_site::resource_type(app), app.short_name());
        let body = json!({"id": app.to_string(), "name": name, "type": kind, "properties": {"operationId": operation}});
        return Response::json(200, &body);
    }
    Response::new(202).with_header("location", link(app, operation, call))
}

/// The link to the progress of an operation.
pub(super) fn link(app: &AppId, operation: &str, call: &Call<'_>) -> String {
    let (origin, version) = (&call.request.origin, call.api_version);
    format!("{origin}{app}/operationresults/{operation}?api-version={version}")
}
