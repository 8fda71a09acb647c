//! The token endpoint and the check of tokens.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::{Azure, envelope};
use crate::request::{decode, pairs};
use crate::{Method, Request, Response};

impl Azure {
    /// Client credentials with a secret (Microsoft identity platform, OAuth 2.0 client credentials flow).
    pub(super) fn token_endpoint(&mut self, request: &Request) -> Response {
        self.counters.call("token");
        if request.method != Method::Post {
            return oauth_error(405, "invalid_request", "AADSTS900561: this endpoint takes POST alone.");
        }
        let form = String::from_utf8_lossy(&request.body).into_owned();
        let field = |name: &str| pairs(&form).find(|(key, _)| key == name).map(|(_, value)| value);
        let client = &self.config.client;
        let tenant = decode(request.path.split('/').nth(1).unwrap_or_default());
        if !tenant.eq_ignore_ascii_case(&client.tenant) {
            return oauth_error(400, "invalid_request", "AADSTS90002: no such tenant.");
        }
        if field("grant_type").as_deref() != Some("client_credentials") {
            return oauth_error(
                400,
                "unsupported_grant_type",
                "AADSTS70003: only client credentials are known here.",
            );
        }
        if field("client_id").as_deref() != Some(client.id.as_str()) {
            return oauth_error(400, "unauthorized_client", "AADSTS700016: no such application.");
        }
        if field("client_secret").as_deref() != Some(client.secret.expose_secret()) {
            return oauth_error(
                401,
                "invalid_client",
                "AADSTS7000215: the client secret is not the right one.",
            );
        }
        if field("scope").is_none_or(|scope| scope.is_empty()) {
            return oauth_error(400, "invalid_request", "AADSTS90014: the field 'scope' is missing.");
        }
        let lifetime = client.token_lifetime;
        let token = self.issue_token(lifetime);
        let seconds = lifetime.as_secs();
        let body = json!({
            "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
        });
        Response::json(200, &body).with_header("cache-control", "no-store, no-cache")
    }

    fn issue_token(&mut self, lifetime: Duration) -> String {
        let now = self.now;
        self.tokens.ends.retain(|_, end| *end > now);
        let token = format!("simulated.{}.{}", self.stamp.guid(), self.stamp.guid());
        self.tokens.ends.insert(token.clone(), now + lifetime);
        self.counters.tokens += 1;
        token
    }

    /// Ends all tokens now, as when a credential is revoked: the next call with one is answered 401.
    pub fn revoke_tokens(&mut self) {
        self.tokens.ends.clear();
    }

    pub(super) fn check_token(&mut self, request: &Request) -> Result<(), Response> {
        let header = request.header("authorization").unwrap_or_default();
        let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (code, message) = match token.map(|(_, token)| self.tokens.ends.get(token.trim())) {
            Some(Some(end)) if *end > self.now => return Ok(()),
            Some(Some(_)) => ("ExpiredAuthenticationToken", "The access token expiry is in the past."),
            Some(None) => ("InvalidAuthenticationToken", "The access token is not one of ours."),
            None => ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
        };
        self.counters.unauthorized += 1;
        Err(envelope::arm(401, code, message)
            .with_header("www-authenticate", "Bearer error=\"invalid_token\""))
    }
}

fn oauth_error(status: u16, error: &str, description: &str) -> Response {
    Response::json(status, &json!({"error": error, "error_description": description}))
}
