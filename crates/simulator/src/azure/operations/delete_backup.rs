//! WebApps_DeleteBackup: takes a deletion on. The answer has the whole SAS (azure-cli recording of 2023).

use holdfast_model::{AppId, BackupId};

use super::{OperationResult, get_backup};
use crate::azure::Azure;
use crate::azure::backup::Shown;

pub(super) fn perform(azure: &mut Azure, app: &AppId, id: BackupId) -> OperationResult {
    azure.delete_backup(app, id);
    get_backup::answer(azure, app, id, Shown::WithSecrets(azure.now))
}
