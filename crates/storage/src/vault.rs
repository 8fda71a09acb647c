//! The address of a secret in a Key Vault.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::InvalidSecretRef;
use crate::host::is_loopback;

/// `https://VAULT.vault.azure.net/secrets/NAME`, with `/VERSION` for a version other than the latest. On this
/// machine it may be `http://`, for tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VaultSecret {
    /// Boxed to keep errors small: they contain references.
    url: Box<Url>,
}

/// The domain of the vaults of the public cloud, and the scope of a test vault.
const PUBLIC_CLOUD: &str = "vault.azure.net";

/// A version of the REST API that every cloud supports.
const API_VERSION: &str = "7.4";

impl VaultSecret {
    /// The scope of tokens for the vault. It is limited to the vault's own cloud, so that a token sent to a wrong address
    /// is useless elsewhere.
    pub fn scope(&self) -> String {
        let domain = self.url.domain().filter(|_| !is_loopback(&self.url));
        let cloud = domain.and_then(|domain| domain.split_once('.')).map_or(PUBLIC_CLOUD, |(_, cloud)| cloud);
        format!("https://{cloud}/.default")
    }

    /// The URL of the request for the secret.
    pub(crate) fn request_url(&self) -> Url {
        let mut url = Url::clone(&self.url);
        url.set_query(Some(&format!("api-version={API_VERSION}")));
        url
    }
}

impl fmt::Display for VaultSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

impl FromStr for VaultSecret {
    type Err = InvalidSecretRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim_end_matches('/')).map_err(|_| InvalidSecretRef)?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !is_plain || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidSecretRef);
        }
        let is_vault = url.scheme() == "https" && url.port().is_none() && is_in_a_cloud(&url);
        let is_stand_in = is_loopback(&url) && matches!(url.scheme(), "http" | "https");
        if !is_vault && !is_stand_in {
            return Err(InvalidSecretRef);
        }
        let is_word = |word: &str| {
            (1..=127).contains(&word.len()) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        match url.path().split('/').collect::<Vec<_>>().as_slice() {
            ["", "secrets", words @ ..]
                if (1..=2).contains(&words.len()) && words.iter().all(|w| is_word(w)) =>
            {
                Ok(Self { url: Box::new(url) })
            }
            _ => Err(InvalidSecretRef),
        }
    }
}

/// Whether the host is like `VAULT.vault.azure.net` or `VAULT.vault.azure.cn`.
fn is_in_a_cloud(url: &Url) -> bool {
    let labels: Vec<_> = url.domain().unwrap_or_default().split('.').collect();
    matches!(labels.as_slice(), [name, "vault", _, _, ..] if !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vaults_cloud_names_the_scope_of_its_tokens() {
        for (text, scope) in [
            ("https://acme.vault.azure.net/secrets/storage-key", "https://vault.azure.net/.default"),
            ("https://acme.vault.azure.net/secrets/sas/0123abcd", "https://vault.azure.net/.default"),
            ("https://acme.vault.azure.cn/secrets/sas", "https://vault.azure.cn/.default"),
            ("https://acme.vault.usgovcloudapi.net/secrets/sas", "https://vault.usgovcloudapi.net/.default"),
            ("http://127.0.0.1:8200/secrets/sas", "https://vault.azure.net/.default"),
        ] {
            let secret: VaultSecret = text.parse().unwrap();
            assert_eq!((secret.scope().as_str(), secret.to_string().as_str()), (scope, text));
        }
    }

    #[test]
    fn a_slash_at_the_end_names_no_version() {
        let secret: VaultSecret = "https://acme.vault.azure.net/secrets/sas/".parse().unwrap();
        assert_eq!(secret.request_url().as_str(), "https://acme.vault.azure.net/secrets/sas?api-version=7.4");
    }

    #[test]
    fn what_is_no_secrets_address_is_refused() {
        for text in [
            "acme/sas",
            "http://acme.vault.azure.net/secrets/sas",
            "https://acme.vault.azure.net:8443/secrets/sas",
            "https://acme.example.com/secrets/sas",
            "https://vault.azure.net/secrets/sas",
            "https://acme.vault.azure.net/keys/sas",
            "https://acme.vault.azure.net/secrets",
            "https://acme.vault.azure.net/secrets/a/b/c",
            "https://acme.vault.azure.net/secrets/a_b",
            "https://acme.vault.azure.net/secrets/sas?api-version=7.4",
            "https://user:word@acme.vault.azure.net/secrets/sas",
            "ftp://127.0.0.1/secrets/sas",
        ] {
            assert_eq!(text.parse::<VaultSecret>(), Err(InvalidSecretRef), "{text}");
        }
    }
}
