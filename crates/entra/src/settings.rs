//! The application of Entra ID that people and workloads log in to.

use std::fmt;
use std::sync::Arc;

use holdfast_arm::is_loopback;
use holdfast_model::AzureCloud;
use secrecy::SecretString;
use url::Url;

/// Reads the secret of the application. It is read for each login, because files rotate. An error is a text without the secret.
pub type ClientSecret = Arc<dyn Fn() -> Result<SecretString, String> + Send + Sync>;

/// The path of the console at which a login begins.
const BEGIN: &str = "/login/entra";
/// The path to which Entra sends people back.
const CALLBACK: &str = "/login/entra/callback";

/// The application of Entra ID that people and workloads log in to.
#[derive(Clone)]
pub struct Settings {
    pub(crate) authority: Url,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) secret: Option<ClientSecret>,
    public_url: Url,
}

/// The application cannot be used as it is named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The authority is no URL.
    #[error("the authority of Entra ID must be an https URL")]
    Authority,
    /// The tenant is no id. A domain, or `common`, could mean tokens of other tenants.
    #[error(
        "the tenant of Entra ID must be its id, such as 72f988bf-86f1-41af-91ab-2d7cd011db47, and not a domain"
    )]
    Tenant,
    /// The application is no id.
    #[error(
        "the application of Entra ID must be its application (client) id, such as 6e74172b-be56-4843-9ff4-e66a39bb12e3"
    )]
    Client,
    /// The address is not one to which Entra can send people.
    #[error(
        "the public URL `{0}` must be https://HOST, or http://HOST on this machine, without a path and a query"
    )]
    PublicUrl(Url),
}

impl Settings {
    /// An application of a tenant, at the authority of its cloud. People reach the console at `public_url`.
    pub fn new(
        authority: &str,
        (tenant, client_id): (&str, &str),
        public_url: Url,
        secret: Option<ClientSecret>,
    ) -> Result<Self, InvalidSettings> {
        let authority = authority.parse().map_err(|_| InvalidSettings::Authority)?;
        let tenant = id(tenant).ok_or(InvalidSettings::Tenant)?;
        let client_id = id(client_id).ok_or(InvalidSettings::Client)?;
        if !is_public_url(&public_url) {
            return Err(InvalidSettings::PublicUrl(public_url));
        }
        Ok(Self { authority, tenant, client_id, secret, public_url })
    }

    /// The issuer of id tokens, and of access tokens in format 2.0.
    pub(crate) fn issuer(&self) -> String {
        self.at_authority("v2.0").into()
    }

    /// The issuer of access tokens in format 1.0, which applications get unless their manifest asks for 2.0.
    pub(crate) fn older_issuer(&self) -> String {
        let cloud = self.authority.host_str().and_then(AzureCloud::of_entra).unwrap_or(AzureCloud::Public);
        format!("{}/{}/", cloud.token_service(), self.tenant)
    }

    /// The issuers of the tenant.
    pub(crate) fn issuers(&self) -> [String; 2] {
        [self.issuer(), self.older_issuer()]
    }

    /// The address of a path of the tenant.
    pub(crate) fn at_authority(&self, path: &str) -> Url {
        let mut url = self.authority.clone();
        url.set_path(&format!("/{}/{path}", self.tenant));
        url
    }

    /// What access tokens for the application are for: its id, or the Application ID URI that Azure proposes.
    pub(crate) fn audiences(&self) -> [String; 2] {
        [self.client_id.clone(), format!("api://{}", self.client_id)]
    }

    /// The address at which a login begins: under the name to which Entra sends people back, because its cookie is of that name.
    pub(crate) fn begin_url(&self) -> Url {
        self.at_public_url(BEGIN)
    }

    /// The address to which Entra sends people back.
    pub(crate) fn redirect_uri(&self) -> Url {
        self.at_public_url(CALLBACK)
    }

    fn at_public_url(&self, path: &str) -> Url {
        let mut url = self.public_url.clone();
        url.set_path(path);
        url
    }
}

/// The secret is left out: it is read when it is needed.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// An id of Entra in lower case: 32 hex digits in five groups.
fn id(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_id = is_hex && groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    is_id.then(|| text.to_ascii_lowercase())
}

fn is_public_url(url: &Url) -> bool {
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    let is_plain = url.username().is_empty() && url.password().is_none();
    is_safe && is_plain && url.path() == "/" && url.query().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72F988BF-86f1-41af-91ab-2d7cd011db47";
    const CLIENT: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

    fn settings(authority: &str, ids: (&str, &str), public_url: &str) -> Result<Settings, InvalidSettings> {
        Settings::new(authority, ids, public_url.parse().unwrap(), None)
    }

    #[test]
    fn the_issuers_are_those_of_the_cloud_and_the_tenant() {
        for (authority, issuer, older) in [
            (
                "https://login.microsoftonline.com",
                "https://login.microsoftonline.com",
                "https://sts.windows.net",
            ),
            (
                "https://login.microsoftonline.us/",
                "https://login.microsoftonline.us",
                "https://sts.windows.net",
            ),
            (
                "https://login.partner.microsoftonline.cn",
                "https://login.partner.microsoftonline.cn",
                "https://sts.chinacloudapi.cn",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "https://sts.windows.net"),
        ] {
            let settings = settings(authority, (TENANT, CLIENT), "https://hf.example").unwrap();
            let tenant = TENANT.to_lowercase();
            assert_eq!(settings.issuers(), [format!("{issuer}/{tenant}/v2.0"), format!("{older}/{tenant}/")]);
            assert_eq!(settings.redirect_uri().as_str(), "https://hf.example/login/entra/callback");
        }
    }

    #[test]
    fn what_could_mean_other_tenants_or_an_open_wire_is_refused() {
        let ok = "https://hf.example";
        for tenant in
            ["common", "organizations", "contoso.com", "", "72f988bf86f141af91ab2d7cd011db47", "../x"]
        {
            assert_eq!(settings(ok, (tenant, CLIENT), ok).unwrap_err(), InvalidSettings::Tenant, "{tenant}");
        }
        assert_eq!(settings(ok, (TENANT, "holdfast"), ok).unwrap_err(), InvalidSettings::Client);
        for url in [
            "http://hf.example",
            "https://hf.example/console",
            "https://a:b@hf.example",
            "https://hf.example/?a",
        ] {
            let refused = InvalidSettings::PublicUrl(url.parse().unwrap());
            assert_eq!(settings(ok, (TENANT, CLIENT), url).unwrap_err(), refused);
        }
        for url in [
            "https://hf.example:8443",
            "http://localhost:9464",
            "http://127.0.0.1:9464/",
            "http://[::1]:9464",
        ] {
            assert!(settings(ok, (TENANT, CLIENT), url).is_ok(), "{url}");
        }
    }
}
