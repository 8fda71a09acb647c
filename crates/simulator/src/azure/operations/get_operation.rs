//! The progress of an operation: 202 without a body and with the same link until it ends, then 200 with the whole
//! site (azure-cli recording of 2023). A failure has the shape of MicrosoftDocs/azure-docs #37213.

use holdfast_model::AppId;
use serde_json::json;

use super::{Call, OperationResult, get_site, restore, site_not_found};
use crate::Response;
use crate::azure::restore::Failure;
use crate::azure::{Azure, envelope};

pub(super) fn perform(azure: &mut Azure, app: &AppId, operation: &str, call: &Call<'_>) -> OperationResult {
    azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    let restore = azure.restores.of(app, operation).ok_or_else(|| {
        let message = format!("Operation '{operation}' was not found for site '{}'.", app.short_name());
        envelope::web(404, "NotFound", "51004", &message)
    })?;
    match &restore.outcome {
        None => Ok(Response::new(202).with_header("location", restore::link(app, operation, call))),
        Some(Ok(())) => {
            let target = &restore.asked.target;
            let site = azure.sites.get(target).ok_or_else(|| site_not_found(target))?;
            Ok(Response::json(200, &get_site::body(&site.facts, azure.restores.of_target(target))))
        }
        Some(Err(failure)) => Ok(failed(failure)),
    }
}

fn failed(failure: &Failure) -> Response {
    let error = json!({
        "code": failure.code,
        "message": "The resource operation completed with terminal provisioning state 'Failed'.",
        "details": [{"message": failure.message}],
    });
    Response::json(200, &json!({"status": "Failed", "error": error}))
}
