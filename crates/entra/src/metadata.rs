//! Where an issuer answers, as its discovery document says. Pure.
//!
//! Source: OpenID Connect Discovery 1.0, sections 3 and 4.3.

use holdfast_model::{AzureCloud, AzureService};
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
    /// Reads the document of `issuer`. Everything that it names must be at the authority, or another host of Entra in its cloud: codes and
    /// secrets are sent there.
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
        let named = [&metadata.authorization, &metadata.token, &metadata.keys];
        if named.into_iter().all(|url| is_trusted(url, authority)) {
            Ok(metadata)
        } else {
            Err("the document names an endpoint at a host that is not Entra's in the cloud of the authority"
                .to_owned())
        }
    }
}

fn is_trusted(url: &Url, authority: &Url) -> bool {
    let cloud = authority.host_str().and_then(AzureCloud::of_entra);
    let is_of_cloud =
        |cloud: AzureCloud| url.host_str().is_some_and(|host| cloud.has(AzureService::Entra, host));
    let is_other = url.scheme() == "https" && url.port().is_none() && cloud.is_some_and(is_of_cloud);
    url.username().is_empty() && (is_other || url.origin() == authority.origin())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(authority: &str, changes: &Value) -> Result<Metadata, String> {
        let mut document = json!({
            "issuer": format!("{authority}/t/v2.0"),
            "authorization_endpoint": format!("{authority}/t/authorize"),
            "token_endpoint": format!("{authority}/t/token"),
            "jwks_uri": format!("{authority}/t/keys"),
        });
        document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let issuer = format!("{authority}/t/v2.0");
        Metadata::read(document.to_string().as_bytes(), &issuer, &authority.parse().unwrap())
    }

    #[test]
    fn everything_is_at_the_authority_of_the_issuer() {
        let own = "https://login.example";
        assert_eq!(read(own, &json!({})).unwrap().token.path(), "/t/token");
        assert!(read(own, &json!({ "issuer": "https://login.example/u/v2.0" })).is_err());
        for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for url in [
                "https://evil.example/t",
                "https://login.microsoftonline.com/t",
                "http://login.example/t",
                "https://login.example:444/t",
                "https://a@login.example/t",
                "file:///etc/passwd",
                "",
            ] {
                assert!(read(own, &json!({ endpoint: url })).is_err(), "{endpoint} {url}");
            }
        }
    }

    #[test]
    fn another_host_of_entra_in_the_same_cloud_is_as_good() {
        let china = "https://login.partner.microsoftonline.cn";
        for (url, is_good) in [
            ("https://login.chinacloudapi.cn/common/keys", true),
            ("http://login.chinacloudapi.cn/common/keys", false),
            ("https://login.chinacloudapi.cn:444/common/keys", false),
            ("https://a@login.chinacloudapi.cn/common/keys", false),
            ("https://login.microsoftonline.com/common/keys", false),
        ] {
            assert_eq!(read(china, &json!({ "jwks_uri": url })).is_ok(), is_good, "{url}");
        }
    }
}
