//! Collects the secrets that requests and responses carry.

use secrecy::SecretString;

use super::Azure;
use crate::{Request, Response};

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
