//! WebApps_ListBackups: the backups of an app. A new one is listed after a delay.

use holdfast_model::AppId;
use serde_json::json;

use super::{Call, OperationResult, page, site_not_found};
use crate::azure::Azure;
use crate::azure::backup::BackupView;

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    let length = azure.list_length(app);
    let site = azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    let now = azure.now;
    // Only in a list, a backup has its own id, name and type around it.
    let backups = site.backups.values().filter(|backup| backup.listed_from <= now).map(|backup| {
        json!({
            "id": format!("{app}/backups/{}", backup.id),
            "name": backup.id.to_string(),
            "type": "Microsoft.Web/sites/backups",
            "location": site.facts.site.location,
            "properties": backup.properties(BackupView::Later(now)),
        })
    });
    Ok(page::answer(call.request, &azure.config, backups.take(length)))
}
