//! Responses about the rights of a credential.

use serde_json::Value;

use super::ArmResponse;
use crate::Error;
use crate::permissions::{Grant, Permissions};
use crate::wire::Unreadable;

impl ArmResponse<'_> {
    /// Reads the response to GET …/providers/Microsoft.Authorization/permissions, as documented.
    pub(crate) fn permissions(&self) -> Result<Permissions, Error> {
        self.read(permissions)
    }
}

fn permissions(body: &Value) -> Result<Permissions, Unreadable> {
    let odd = || Unreadable("the body is no list of permissions".to_owned());
    let grants = body["value"].as_array().ok_or_else(odd)?;
    let texts = |of: &Value| -> Vec<String> {
        of.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let grant = |of: &Value| Grant { actions: texts(&of["actions"]), not_actions: texts(&of["notActions"]) };
    Ok(Permissions { grants: grants.iter().map(grant).collect() })
}
