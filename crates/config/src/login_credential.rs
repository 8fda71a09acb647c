//! The credentials that log in to the database and the broker in place of a password.

use std::fmt;
use std::str::FromStr;

use holdfast_arm::{Credential, is_loopback};
use holdfast_model::{AzureCloud, AzureService};
use holdfast_storage::SecretRef;
use url::Url;

use crate::fleet::Cloud;

/// A credential that logs in to a server, as an option names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginCredential {
    /// That of a section `[azure]` or `[azure.NAME]` of the fleet file: the section's name, empty for `[azure]`.
    Section(String),
    /// A credential that needs no fleet file.
    Own(Credential<SecretRef>),
}

/// A text that names no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected managed_identity or workload_identity, either with :CLIENT_ID, or azure_cli, or azure or azure.NAME for a section of the fleet file"
)]
pub struct InvalidLoginCredential;

/// A credential cannot log in to a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct LoginError {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub help: String,
}

/// A server as its URL has it.
#[derive(Debug, Clone, Copy)]
pub struct LoginServer<'a> {
    /// The host; `None` for a socket of this machine.
    pub host: Option<&'a str>,
    /// Whether the URL has another login, such as a password.
    pub has_login: bool,
}

/// Where the tokens of a login come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLogin {
    /// The credential, with a reference in place of its secret.
    pub credential: Credential<SecretRef>,
    /// The authority of Entra; `None` for that of the environment or the public cloud.
    pub authority: Option<Url>,
    /// The scope of the tokens.
    pub scope: String,
}

impl FromStr for LoginCredential {
    type Err = InvalidLoginCredential;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, client_id) = text.split_once(':').map_or((text, None), |(kind, id)| (kind, Some(id)));
        let client_id = client_id.map(str::to_owned);
        if client_id.as_deref() == Some("") {
            return Err(InvalidLoginCredential);
        }
        match (kind, client_id) {
            ("managed_identity", client_id) => Ok(Self::Own(Credential::ManagedIdentity { client_id })),
            ("workload_identity", client_id) => {
                Ok(Self::Own(Credential::WorkloadIdentity { tenant: None, client_id, token_file: None }))
            }
            ("azure_cli", None) => Ok(Self::Own(Credential::AzureCli { tenant: None })),
            ("azure", None) => Ok(Self::Section(String::new())),
            (section, None) => match section.strip_prefix("azure.") {
                Some(name) if !name.is_empty() => Ok(Self::Section(name.to_owned())),
                _ => Err(InvalidLoginCredential),
            },
            _ => Err(InvalidLoginCredential),
        }
    }
}

/// The text that names it.
impl fmt::Display for LoginCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, client_id) = match self {
            Self::Section(name) if name.is_empty() => return f.write_str("azure"),
            Self::Section(name) => return write!(f, "azure.{name}"),
            Self::Own(Credential::ManagedIdentity { client_id }) => {
                ("managed_identity", client_id.as_deref())
            }
            Self::Own(Credential::WorkloadIdentity { client_id, .. }) => {
                ("workload_identity", client_id.as_deref())
            }
            Self::Own(Credential::AzureCli { .. }) => ("azure_cli", None),
            Self::Own(Credential::ClientSecret { .. }) => ("client_secret", None),
        };
        f.write_str(kind)?;
        client_id.map_or(Ok(()), |id| write!(f, ":{id}"))
    }
}

impl LoginCredential {
    /// Whether the fleet file has the credential.
    pub fn is_in_fleet_file(&self) -> bool {
        matches!(self, Self::Section(_))
    }

    /// The login to a PostgreSQL server. `clouds` are the sections of the fleet file, where it was read.
    ///
    /// The token opens every PostgreSQL server of Azure that knows the identity, so it goes to Azure's own hosts, to
    /// this machine, and to `trusted_hosts` of the section.
    pub fn for_database(&self, server: LoginServer<'_>, clouds: &[Cloud]) -> Result<TokenLogin, LoginError> {
        self.is_only_login(server, "database_url")?;
        let (credential, section) = self.find(clouds)?;
        let host = server.host.unwrap_or("localhost");
        let url = url_of(host).ok_or_else(|| self.foreign(host))?;
        let (is_trusted, cloud) = if let Some(section) = section {
            let cloud = section.endpoint.host_str().and_then(AzureCloud::of_arm);
            (section.trusts(AzureService::Postgres, &url), cloud)
        } else {
            let mut clouds = AzureCloud::ALL.into_iter();
            let cloud = clouds.find(|cloud| cloud.has(AzureService::Postgres, host));
            (cloud.is_some() || is_loopback(&url), cloud)
        };
        if !is_trusted {
            return Err(self.foreign(host));
        }
        let scope = cloud.unwrap_or(AzureCloud::Public).postgres_scope().to_owned();
        Ok(TokenLogin { credential, authority: authority(section), scope })
    }

    /// The login to a broker with tokens for `scope`, which is the broker's own.
    pub fn for_broker(
        &self,
        server: LoginServer<'_>,
        scope: Option<&str>,
        clouds: &[Cloud],
    ) -> Result<TokenLogin, LoginError> {
        self.is_only_login(server, "amqp_url")?;
        let (credential, section) = self.find(clouds)?;
        let scope = checked_scope(scope.unwrap_or_default())?.to_owned();
        Ok(TokenLogin { credential, authority: authority(section), scope })
    }

    fn is_only_login(&self, server: LoginServer<'_>, url: &str) -> Result<(), LoginError> {
        if !server.has_login {
            return Ok(());
        }
        let what = format!("{url} has a login of its own, beside the credential {self}");
        let help = format!("take the password or `auth_mechanism` out of {url}, or leave out the credential");
        Err(LoginError { what, help })
    }

    /// The credential, and its section if it has one.
    fn find<'c>(
        &self,
        clouds: &'c [Cloud],
    ) -> Result<(Credential<SecretRef>, Option<&'c Cloud>), LoginError> {
        let name = match self {
            Self::Own(credential) => return Ok((credential.clone(), None)),
            Self::Section(name) => name,
        };
        let section = clouds.iter().find(|cloud| cloud.name == *name).ok_or_else(|| {
            let known: Vec<String> =
                clouds.iter().map(|cloud| Self::Section(cloud.name.clone()).to_string()).collect();
            let what = format!("the fleet file has no section [{self}], whose credential is to log in");
            LoginError { what, help: format!("it has: {}", known.join(", ")) }
        })?;
        Ok((section.credential.clone(), Some(section)))
    }

    fn foreign(&self, host: &str) -> LoginError {
        let what = format!(
            "a token of {self} would be sent to {host}, which is not Azure's PostgreSQL in its cloud"
        );
        let help = format!(
            "correct the host; or, if it is your own, name a section of the fleet file as the credential, and add \
             `trusted_hosts = [\"{host}\"]` to it"
        );
        LoginError { what, help }
    }
}

fn authority(section: Option<&Cloud>) -> Option<Url> {
    section.and_then(|section| section.authority.clone())
}

fn url_of(host: &str) -> Option<Url> {
    let bare = host.contains(':') && !host.starts_with('[');
    let written = if bare { format!("[{host}]") } else { host.to_owned() };
    Url::parse(&format!("https://{written}/")).ok()
}

/// Domains whose tokens open Azure and Microsoft's services.
const OF_AZURE: [&str; 9] = [
    "azure.com",
    "azure.net",
    "windows.net",
    "microsoft.com",
    "usgovcloudapi.net",
    "azure.us",
    "microsoft.us",
    "chinacloudapi.cn",
    "azure.cn",
];

/// A broker that receives a token for Azure could act at Azure with it.
fn checked_scope(scope: &str) -> Result<&str, LoginError> {
    let help =
        "give the Application ID URI of the broker's registration in Entra, such as api://8a5f…/.default"
            .to_owned();
    if !scope.ends_with("/.default") || scope.len() == "/.default".len() {
        let what = format!(
            "the scope of the broker's tokens is `{scope}`: expected an Application ID URI and /.default"
        );
        return Err(LoginError { what, help });
    }
    let url = Url::parse(scope).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_ascii_lowercase();
    let is_azures = |domain: &str| host == *domain || host.ends_with(&format!(".{domain}"));
    if OF_AZURE.iter().any(|domain| is_azures(domain)) {
        let what = format!("the broker would receive tokens for {host}, which is Azure's own");
        return Err(LoginError { what, help });
    }
    Ok(scope)
}

#[cfg(test)]
mod tests;
