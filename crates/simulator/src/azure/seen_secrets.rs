//! The secrets in requests and responses, for tests that search for leaks.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use crate::request::pairs;

/// Every secret once. It has no `Debug`, and nothing but [`Azure::secrets_seen`] reads it.
#[derive(Default)]
pub(super) struct SeenSecrets(pub(super) BTreeSet<String>);

impl SeenSecrets {
    pub(super) fn query(&mut self, query: &str) {
        self.0.extend(pairs(query).filter(|(key, _)| key == "sig").map(|(_, signature)| signature));
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.value(value)),
            Value::Object(fields) => fields.iter().for_each(|(key, value)| self.field(key, value)),
            _ => {}
        }
    }

    pub(super) fn field(&mut self, key: &str, value: &Value) {
        match (key, value) {
            ("storageAccountUrl", Value::String(url)) => {
                let url = Url::parse(url).ok();
                self.query(url.as_ref().and_then(Url::query).unwrap_or_default());
            }
            ("connectionString" | "access_token", Value::String(secret)) => {
                self.0.insert(secret.clone());
            }
            _ => self.value(value),
        }
    }
}
