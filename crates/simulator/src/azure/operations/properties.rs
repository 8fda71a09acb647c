//! Reads the body of a request.

use holdfast_model::DatabaseFacts;
use secrecy::SecretString;
use serde_json::Value;

use super::bad_request;
use crate::azure::envelope;
use crate::{Request, Response};

/// The `properties` of a body.
pub(super) struct Properties(Value);

impl Properties {
    /// The properties of a required body.
    pub(super) fn of(request: &Request) -> Result<Self, Response> {
        let mut body: Value = serde_json::from_slice(&request.body)
            .map_err(|_| envelope::arm(400, "InvalidRequestContent", "The request content is not JSON."))?;
        Ok(Self(body.get_mut("properties").map(Value::take).unwrap_or_default()))
    }

    /// The properties of an optional body.
    pub(super) fn of_optional(request: &Request) -> Result<Self, Response> {
        if request.body.is_empty() { Ok(Self(Value::Null)) } else { Self::of(request) }
    }

    /// A value; null if it is missing.
    pub(super) fn value(&self, key: &str) -> &Value {
        &self.0[key]
    }

    /// A text, unless it is missing or empty.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        text(&self.0, key)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        flag(&self.0[key])
    }

    /// The container's URL, which every body must contain.
    pub(super) fn storage_url(&self) -> Result<SecretString, Response> {
        let url = self.text("storageAccountUrl").map(SecretString::from);
        url.ok_or_else(|| bad_request("The property 'storageAccountUrl' is required."))
    }

    /// Type and name of each database.
    /// The databases.
    pub(super) fn databases(&self) -> Vec<DatabaseFacts> {
        let database = |of: &Value| {
            let kind = text(of, "databaseType")?;
            Some(DatabaseFacts { kind, name: text(of, "name").unwrap_or_default() })
        };
        self.0["databases"].as_array().into_iter().flatten().filter_map(database).collect()
    }
}

/// A flag, as such or as text.
pub(super) fn flag(of: &Value) -> Option<bool> {
    of.as_bool().or_else(|| of.as_str()?.trim().to_ascii_lowercase().parse().ok())
}

fn text(of: &Value, key: &str) -> Option<String> {
    of[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
