//! What ARM does, one file per operation.

use holdfast_model::AppId;

use super::route::Route;
use super::{Azure, envelope};
use crate::{Request, Response};

mod get_backup;
mod get_site;
mod list_backups;
mod list_sites;
mod page;
mod start_backup;

/// A call that is let through: who it came from and what it says.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) api_version: &'a str,
    /// The id that the answer's header will bear.
    pub(super) request_id: &'a str,
}

/// Performs an operation. A refusal is an answer like any other.
pub(super) fn perform(
    azure: &mut Azure,
    route: &Route,
    request: &Request,
    api_version: &str,
    request_id: &str,
) -> Response {
    let call = Call { request, api_version, request_id };
    let answer = match route {
        Route::ListSites { subscription } => list_sites::perform(azure, subscription, &call),
        Route::GetSite { app } => get_site::perform(azure, app),
        Route::Backup { app } => start_backup::perform(azure, app, &call),
        Route::ListBackups { app } => list_backups::perform(azure, app, &call),
        Route::GetBackup { app, id } => get_backup::perform(azure, app, *id),
    };
    answer.unwrap_or_else(|refusal| refusal)
}

/// An operation's answer, or the refusal to give one.
type Answer = Result<Response, Response>;

/// The refusal when there is no such app.
fn site_not_found(app: &AppId) -> Response {
    let kind = if app.slot().is_some() { "sites/slots" } else { "sites" };
    let (name, group) = (app.short_name(), app.resource_group());
    let message =
        format!("The Resource 'Microsoft.Web/{kind}/{name}' under resource group '{group}' was not found.");
    envelope::arm(404, "ResourceNotFound", &message)
}
