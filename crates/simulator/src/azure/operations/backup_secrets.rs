//! WebApps_ListBackupStatusSecrets: a backup with its SAS. A SAS in the body replaces the stored one, so that a
//! backup with an expired SAS can be deleted.

use holdfast_model::{AppId, BackupId};

use super::properties::Properties;
use super::{Call, OperationResult, get_backup, site_not_found};
use crate::azure::Azure;
use crate::azure::backup::BackupView;

pub(super) fn perform(azure: &mut Azure, app: &AppId, id: BackupId, call: &Call<'_>) -> OperationResult {
    let replace = Properties::of_optional(call.request)?.text("storageAccountUrl");
    let site = azure.sites.get_mut(app).ok_or_else(|| site_not_found(app))?;
    if let (Some(url), Some(backup)) = (replace, site.backups.get_mut(&id)) {
        backup.storage_url = url.into();
        azure.counters.sas_replaced += 1;
    }
    get_backup::answer(azure, app, id, BackupView::WithSecrets(azure.now))
}
