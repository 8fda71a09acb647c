//! WebApps_GetBackupConfiguration: the native schedule, with its SAS (azure-cli recordings).

use holdfast_model::AppId;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{OperationResult, get_site, site_not_found};
use crate::Response;
use crate::azure::backup::databases_shown;
use crate::azure::schedule::Schedule;
use crate::azure::stamp::without_zone;
use crate::azure::{Azure, envelope};

pub(super) fn perform(azure: &mut Azure, app: &AppId) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    let schedule = site.schedule.as_ref().ok_or_else(|| {
        let (name, slot) = (app.site(), app.slot().unwrap_or("Production"));
        let message = format!("Backup configuration not found for site '{name}' with slot '{slot}'");
        envelope::web(404, "NotFound", "04211", &message)
    })?;
    let body = json!({
        "id": app.to_string(),
        "name": app.short_name(),
        "type": get_site::resource_type(app),
        "location": site.facts.site.location,
        "properties": properties(schedule),
    });
    Ok(Response::json(200, &body))
}

/// `name`, `backupName` and `type` are undocumented. Times have no zone.
fn properties(schedule: &Schedule) -> Value {
    let facts = &schedule.facts;
    json!({
        "name": schedule.backup_name,
        "backupName": schedule.backup_name,
        "type": "Default",
        "enabled": facts.enabled,
        "storageAccountUrl": schedule.storage_url.expose_secret(),
        "backupSchedule": {
            "frequencyInterval": facts.every,
            "frequencyUnit": facts.unit.as_str(),
            "keepAtLeastOneBackup": facts.keep_at_least_one,
            "retentionPeriodInDays": facts.retention_days,
            "startTime": facts.start.map(without_zone),
            "lastExecutionTime": schedule.last_execution.map(without_zone),
        },
        "databases": (!schedule.databases.is_empty()).then(|| databases_shown(&schedule.databases)),
    })
}
