//! WebApps_RestoreFromBackupBlob: as a restore, of a blob that the list need not know.

use holdfast_model::AppId;

use super::{Call, OperationResult, restore};
use crate::azure::Azure;

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    restore::start(azure, app, None, call)
}
