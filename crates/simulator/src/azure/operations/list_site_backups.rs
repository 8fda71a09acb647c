//! WebApps_ListSiteBackups: the backups of an app by POST. The specification has the same response as for the GET.

use holdfast_model::AppId;

use super::{Call, OperationResult, list_backups};
use crate::azure::Azure;

pub(super) fn perform(azure: &mut Azure, app: &AppId, call: &Call<'_>) -> OperationResult {
    list_backups::perform(azure, app, call)
}
