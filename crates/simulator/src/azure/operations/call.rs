//! A call of an operation, and the refusals that operations share.

use holdfast_model::AppId;

use crate::azure::envelope;
use crate::{Request, Response};

/// A call that passed ARM's checks.
pub(in crate::azure) struct Call<'a> {
    pub(in crate::azure) request: &'a Request,
    pub(in crate::azure) api_version: &'a str,
    /// The request id in the response's header.
    pub(in crate::azure) request_id: &'a str,
}

/// An operation's response: accepted or refused.
pub(super) type OperationResult = Result<Response, Response>;

pub(super) fn bad_request(message: &str) -> Response {
    envelope::web(400, "BadRequest", "51021", message)
}

/// The refusal for a missing app.
pub(super) fn site_not_found(app: &AppId) -> Response {
    let kind = if app.slot().is_some() { "sites/slots" } else { "sites" };
    let (name, group) = (app.short_name(), app.resource_group());
    let message =
        format!("The Resource 'Microsoft.Web/{kind}/{name}' under resource group '{group}' was not found.");
    envelope::arm(404, "ResourceNotFound", &message)
}
