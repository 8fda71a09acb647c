//! WebApps_RestoreFromBackupBlob: a restore from a blob that the list may not contain.

use holdfast_model::AppId;

use super::{Call, OperationResult, restore};
use crate::azure::Azure;

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    restore::start(azure, app, None, call)
}
