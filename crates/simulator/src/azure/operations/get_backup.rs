//! WebApps_GetBackupStatus: one backup. As in the POST's answer, the id around it is the site's.

use holdfast_model::{AppId, BackupId};
use serde_json::{Value, json};

use super::{OperationResult, get_site, site_not_found};
use crate::azure::backup::{Backup, BackupView};
use crate::azure::{Azure, envelope};
use crate::{FleetSite, Response};

pub(super) fn perform(azure: &mut Azure, app: &AppId, id: BackupId) -> OperationResult {
    answer(azure, app, id, BackupView::Later(azure.now))
}

/// The answer with this backup, or the refusal when it is not there.
pub(super) fn answer(azure: &Azure, app: &AppId, id: BackupId, shown: BackupView) -> OperationResult {
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    let backup = site.backups.get(&id).ok_or_else(|| {
        // No source shows the response for an unknown id; the shape is that of other 404 responses.
        let message = format!("Backup {id} was not found for site '{}'.", app.short_name());
        envelope::web(404, "NotFound", "04212", &message)
    })?;
    Ok(Response::json(200, &body(&site.facts, backup, shown)))
}

/// A backup with the site's id, name and type around it.
fn body(facts: &FleetSite, backup: &Backup, shown: BackupView) -> Value {
    let id = &facts.site.id;
    json!({
        "id": id.to_string(),
        "name": id.short_name(),
        "type": get_site::resource_type(id),
        "location": facts.site.location,
        "properties": backup.properties(shown),
    })
}
