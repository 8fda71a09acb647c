//! WebApps_DeleteBackupConfiguration: deletes the native schedule. No response without a schedule is
//! published; here it is 200 too. Its backups stay.

use holdfast_model::AppId;

use super::{OperationResult, site_not_found};
use crate::Response;
use crate::azure::Azure;

pub(super) fn perform(azure: &mut Azure, app: &AppId) -> OperationResult {
    let site = azure.sites.get_mut(app).ok_or_else(|| site_not_found(app))?;
    site.schedule = None;
    Ok(Response::new(200))
}
