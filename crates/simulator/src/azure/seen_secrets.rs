//! The secrets in requests and responses, for tests that search for leaks.

use std::collections::BTreeSet;

use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::Azure;
use crate::request::pairs;
use crate::{Request, Response};

/// Every secret once. It has no `Debug`, and nothing but [`Azure::secrets_seen`] reads it.
#[derive(Default)]
pub(super) struct SeenSecrets(BTreeSet<String>);

impl Azure {
    /// Every signature, connection string and token that a caller showed or was given, where
    /// [`Config::remembers_secrets`](crate::Config::remembers_secrets) asks for it.
    pub fn secrets_seen(&self) -> Vec<SecretString> {
        self.seen.0.iter().cloned().map(SecretString::from).collect()
    }

    /// Looks through a request and its answer.
    pub(super) fn remember_secrets(&mut self, request: &Request, response: &Response) {
        self.seen.query(&request.query);
        for body in [&request.body, &response.body] {
            if let Ok(body) = serde_json::from_slice(body) {
                self.seen.value(&body);
            }
        }
    }
}

impl SeenSecrets {
    fn query(&mut self, query: &str) {
        self.0.extend(pairs(query).filter(|(key, _)| key == "sig").map(|(_, signature)| signature));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.value(value)),
            Value::Object(fields) => fields.iter().for_each(|(key, value)| self.field(key, value)),
            _ => {}
        }
    }

    fn field(&mut self, key: &str, value: &Value) {
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
