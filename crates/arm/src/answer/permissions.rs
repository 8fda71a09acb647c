//! Answers about what a credential may do.

use holdfast_model::Timestamp;
use serde_json::Value;

use super::Answer;
use crate::permissions::{Grant, Permissions};
use crate::wire::{self, Unreadable};
use crate::{Error, Target};

impl Answer {
    /// What GET …/providers/Microsoft.Authorization/permissions answers with, as documented.
    pub fn permissions(&self, target: &Target<'_>, now: Timestamp) -> Result<Permissions, Error> {
        self.accepted(target, now)?;
        let found = wire::json_body(&self.body).and_then(|body| permissions(&body));
        found.map_err(|e| self.unreadable(target, &e))
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
