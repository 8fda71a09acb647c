//! WebApps_DiscoverBackup: reads what a blob holds. No response is published: its shape is the documentation's, and the
//! words of its refusals are ours.

use holdfast_model::AppId;
use secrecy::ExposeSecret;
use serde_json::json;

use super::properties::Properties;
use super::{Call, OperationResult, bad_request, get_site, site_not_found};
use crate::Response;
use crate::azure::backup::databases_shown;
use crate::azure::{Azure, envelope, sas};

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    let properties = Properties::of(call.request)?;
    let storage_url = properties.storage_url()?;
    let blob = properties.text("blobName");
    let blob = blob.ok_or_else(|| bad_request("The property 'blobName' is required."))?;
    let not_found = |why: &str| envelope::web(404, "NotFound", "04213", why);
    let opened = azure.storage.open(&storage_url, sas::TO_READ, azure.now);
    let url = opened.map_err(|refusal| not_found(&refusal.log()))?;
    let manifest = azure.storage.manifest(&url, &blob);
    let manifest = manifest.ok_or_else(|| not_found("The container does not hold this backup."))?;
    let body = json!({
        "id": app.to_string(),
        "name": app.short_name(),
        "type": get_site::resource_type(app),
        "location": site.facts.site.location,
        "properties": {
            "storageAccountUrl": storage_url.expose_secret(),
            "blobName": blob,
            "overwrite": false,
            "siteName": manifest.app.short_name(),
            "databases": databases_shown(&manifest.databases),
            "ignoreConflictingHostNames": false,
            "ignoreDatabases": false,
            "operationType": "Default",
        },
    });
    Ok(Response::json(200, &body))
}
