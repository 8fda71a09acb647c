//! WebApps_ListBackupStatusSecrets: a backup with its SAS. A body with another SAS puts that in its place, so that a
//! backup can be deleted whose own has lapsed.

use holdfast_model::{AppId, BackupId};

use super::asked::Properties;
use super::{Call, OperationResult, get_backup, site_not_found};
use crate::azure::Azure;
use crate::azure::backup::Shown;

pub(super) fn perform(azure: &mut Azure, app: &AppId, id: BackupId, call: &Call<'_>) -> OperationResult {
    let replace = Properties::of_optional(call.request)?.text("storageAccountUrl");
    let site = azure.sites.get_mut(app).ok_or_else(|| site_not_found(app))?;
    if let (Some(url), Some(backup)) = (replace, site.backups.get_mut(&id)) {
        backup.storage_url = url.into();
        azure.counters.sas_replaced += 1;
    }
    get_backup::answer(azure, app, id, Shown::WithSecrets(azure.now))
}
