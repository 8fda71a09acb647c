//! WebApps_Get: one site or slot.

use holdfast_model::AppId;
use serde_json::{Value, json};

use super::{OperationResult, site_not_found};
use crate::azure::Azure;
use crate::fleet::host_of;
use crate::{FleetSite, Response};

pub(super) fn perform(azure: &mut Azure, app: &AppId) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    Ok(Response::json(200, &body(&site.facts, azure.restores.of_target(app))))
}

/// A site. A restore into it, `operation`, has stopped it while it lasts.
pub(super) fn body(facts: &FleetSite, operation: Option<&str>) -> Value {
    let site = &facts.site;
    let state = if operation.is_some() { Some("Stopped") } else { site.state.as_deref() };
    let hosts = if site.hosts.is_empty() { vec![host_of(&site.id)] } else { site.hosts.clone() };
    json!({
        "id": site.id.to_string(),
        "name": site.id.short_name(),
        "type": resource_type(&site.id),
        "kind": site.kind,
        "location": site.location,
        "tags": site.tags,
        "properties": {
            "name": site.id.site(),
            "state": state,
            "hostNames": hosts,
            "enabledHostNames": hosts,
            "defaultHostName": hosts[0],
            "repositorySiteName": site.id.site(),
            "usageState": "Normal",
            "availabilityState": "Normal",
            "reserved": site.kind.as_deref().is_some_and(|kind| kind.contains("linux")),
            "enabled": true,
            "serverFarmId": site.plan,
            "sku": site.tier,
            "resourceGroup": site.id.resource_group(),
            "inProgressOperationId": operation,
        },
    })
}

pub(super) fn resource_type(app: &AppId) -> &'static str {
    if app.slot().is_some() { "Microsoft.Web/sites/slots" } else { "Microsoft.Web/sites" }
}
