//! ARM's operations, one file each.

use holdfast_model::AppId;

use super::Azure;
use super::route::{AppOperation, Route};
use crate::{Request, Response};
use call::{Call, OperationResult, bad_request, site_not_found};

mod backup_secrets;
mod call;
mod delete_backup;
mod delete_schedule;
mod discover;
mod get_backup;
mod get_operation;
mod get_permissions;
mod get_schedule;
mod get_site;
mod list_backups;
mod list_site_backups;
mod list_sites;
mod list_slots;
mod list_subscriptions;
mod page;
mod properties;
mod put_schedule;
mod restore;
mod restore_from_blob;
mod start_backup;
mod tier;

/// Performs an operation. A refusal is a response too.
pub(super) fn perform(
    azure: &mut Azure,
    route: &Route,
    request: &Request,
    api_version: &str,
    request_id: &str,
) -> Response {
    let call = Call { request, api_version, request_id };
    let result = match route {
        Route::ListSubscriptions { .. } => Ok(list_subscriptions::perform(azure, &call)),
        Route::ListSites { subscription } => list_sites::perform(azure, subscription, &call),
        Route::App { app, operation } => perform_on_app(azure, app, operation, &call),
    };
    result.unwrap_or_else(|refusal| refusal)
}

fn perform_on_app(
    azure: &mut Azure,
    app: &AppId,
    operation: &AppOperation,
    call: &Call<'_>,
) -> OperationResult {
    match operation {
        AppOperation::ListSlots => list_slots::perform(azure, app, call),
        AppOperation::GetSite => get_site::perform(azure, app),
        AppOperation::Backup => start_backup::perform(azure, app, call),
        AppOperation::ListBackups => list_backups::perform(azure, app, call),
        AppOperation::ListSiteBackups => list_site_backups::perform(azure, app, call),
        AppOperation::GetBackup(id) => get_backup::perform(azure, app, *id),
        AppOperation::DeleteBackup(id) => delete_backup::perform(azure, app, *id),
        AppOperation::BackupSecrets(id) => backup_secrets::perform(azure, app, *id, call),
        AppOperation::Restore(id) => restore::perform(azure, app, *id, call),
        AppOperation::RestoreFromBlob => restore_from_blob::perform(azure, app, call),
        AppOperation::GetOperation(id) => get_operation::perform(azure, app, id, call),
        AppOperation::Discover => discover::perform(azure, app, call),
        AppOperation::GetPermissions => get_permissions::perform(azure, app),
        AppOperation::GetSchedule => get_schedule::perform(azure, app),
        AppOperation::PutSchedule => put_schedule::perform(azure, app, call),
        AppOperation::DeleteSchedule => delete_schedule::perform(azure, app),
    }
}
