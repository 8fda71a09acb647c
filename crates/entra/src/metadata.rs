//! Where an issuer answers, as its discovery document says. Pure.
//!
//! Source: OpenID Connect Discovery 1.0, sections 3 and 4.3.

use serde::Deserialize;
use url::Url;

/// Where an issuer answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// Where people log in.
    pub(crate) authorization: Url,
    /// Where a code is exchanged; the secret of the application goes there.
    pub(crate) token: Url,
    /// Where the keys are.
    pub(crate) keys: Url,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
}

impl Metadata {
    /// Reads the document of `issuer`. Everything that it names must be at the authority: codes and secrets are sent there.
    pub(crate) fn read(document: &[u8], issuer: &str, authority: &Url) -> Result<Self, String> {
        let read: Result<Document, _> = serde_json::from_slice(document);
        let read = read.map_err(|_| "the document names no issuer and endpoints".to_owned())?;
        if read.issuer != issuer {
            return Err("the document is of another issuer than that of the tenant".to_owned());
        }
        let metadata = Self {
            authorization: read.authorization_endpoint,
            token: read.token_endpoint,
            keys: read.jwks_uri,
        };
        let is_at_authority = |url: &Url| url.origin() == authority.origin() && url.username().is_empty();
        if [&metadata.authorization, &metadata.token, &metadata.keys].into_iter().all(is_at_authority) {
            Ok(metadata)
        } else {
            Err("the document names an endpoint at another host than that of the authority".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(changes: &Value) -> Result<Metadata, String> {
        let mut document = json!({
            "issuer": "https://login.example/t/v2.0",
            "authorization_endpoint": "https://login.example/t/authorize",
            "token_endpoint": "https://login.example/t/token",
            "jwks_uri": "https://login.example/t/keys",
        });
        document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let authority = "https://login.example".parse().unwrap();
        Metadata::read(document.to_string().as_bytes(), "https://login.example/t/v2.0", &authority)
    }

    #[test]
    fn everything_is_at_the_authority_of_the_issuer() {
        assert_eq!(read(&json!({})).unwrap().token.path(), "/t/token");
        assert!(read(&json!({ "issuer": "https://login.example/u/v2.0" })).is_err());
        for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for url in [
                "https://evil.example/t",
                "http://login.example/t",
                "https://login.example:444/t",
                "https://a@login.example/t",
                "file:///etc/passwd",
                "",
            ] {
                assert!(read(&json!({ endpoint: url })).is_err(), "{endpoint} {url}");
            }
        }
    }
}
