//! WebApps_DeleteBackup: accepts a deletion. The response has the full SAS (azure-cli recording of 2023).

use holdfast_model::{AppId, BackupId};

use super::{OperationResult, get_backup};
use crate::azure::Azure;
use crate::azure::backup::BackupView;

pub(super) fn perform(azure: &mut Azure, app: &AppId, id: BackupId) -> OperationResult {
    azure.delete_backup(app, id);
    get_backup::answer(azure, app, id, BackupView::WithSecrets(azure.now))
}
