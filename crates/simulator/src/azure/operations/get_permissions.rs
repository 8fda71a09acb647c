//! Permissions_ListForResource: every token grants all rights on every app.

use holdfast_model::AppId;
use serde_json::json;

use super::{OperationResult, site_not_found};
use crate::Response;
use crate::azure::Azure;

pub(super) fn perform(azure: &Azure, app: &AppId) -> OperationResult {
    azure.sites.get(app).ok_or_else(|| site_not_found(app))?;
    let all = json!({ "actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": [] });
    Ok(Response::json(200, &json!({ "value": [all] })))
}
