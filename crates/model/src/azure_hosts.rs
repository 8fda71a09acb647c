//! The hosts of Azure's clouds, to which tokens may be sent. Pure.
//!
//! Sources: Microsoft's "Azure Government developer guide", "Azure China 21Vianet endpoints", "National clouds" and "Use
//! Microsoft Entra ID for authentication with Azure Database for PostgreSQL".

/// A cloud of Microsoft's. Its tokens are for its own hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureCloud {
    /// The public cloud.
    Public,
    /// Azure Government of the USA.
    UsGovernment,
    /// Azure in China, operated by 21Vianet.
    China,
}

/// What a host of Azure's is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AzureService {
    /// Azure Resource Manager, which receives tokens.
    Arm,
    /// Entra, which receives the credential's secret.
    Entra,
    /// Blob storage, which receives tokens and SAS.
    Blob,
    /// Key Vault, which receives tokens.
    Vault,
    /// Azure Database for PostgreSQL, which receives tokens as passwords.
    Postgres,
}

impl AzureCloud {
    /// Every cloud.
    pub const ALL: [Self; 3] = [Self::Public, Self::UsGovernment, Self::China];

    /// The cloud whose ARM answers at `host`; `None` for a host of no known cloud.
    pub fn of_arm(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.has(AzureService::Arm, host))
    }

    /// The cloud whose Entra answers at `host`; `None` for a host of no known cloud.
    pub fn of_entra(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.has(AzureService::Entra, host))
    }

    /// Whether `host` is one of this cloud's hosts for `service`.
    ///
    /// A name below a domain counts where the domain gives names to Microsoft's own services only: each region has its
    /// own host of ARM, and each account and vault its own name, which Microsoft issues.
    pub fn has(self, service: AzureService, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.hosts(service).iter().any(|known| match known.strip_prefix("*.") {
            Some(domain) => host
                .strip_suffix(domain)
                .and_then(|name| name.strip_suffix('.'))
                .is_some_and(|name| !name.is_empty() && !name.starts_with('.')),
            None => host == *known,
        })
    }

    /// The address of Entra, which logs people and workloads in.
    pub fn authority(self) -> &'static str {
        match self {
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// How the issuer of Entra's access tokens in format 1.0 begins. The tenant's id and a slash follow.
    pub fn token_service(self) -> &'static str {
        match self {
            Self::Public | Self::UsGovernment => "https://sts.windows.net",
            Self::China => "https://sts.chinacloudapi.cn",
        }
    }

    /// The scope of the tokens that log in to Azure Database for PostgreSQL.
    pub fn postgres_scope(self) -> &'static str {
        match self {
            Self::Public => "https://ossrdbms-aad.database.windows.net/.default",
            Self::UsGovernment => "https://ossrdbms-aad.database.usgovcloudapi.net/.default",
            Self::China => "https://ossrdbms-aad.database.chinacloudapi.cn/.default",
        }
    }

    fn hosts(self, service: AzureService) -> &'static [&'static str] {
        match (self, service) {
            (Self::Public, AzureService::Arm) => &["management.azure.com", "*.management.azure.com"],
            (Self::UsGovernment, AzureService::Arm) => {
                &["management.usgovcloudapi.net", "*.management.usgovcloudapi.net"]
            }
            (Self::China, AzureService::Arm) => {
                &["management.chinacloudapi.cn", "*.management.chinacloudapi.cn"]
            }
            (Self::Public, AzureService::Entra) => &[
                "login.microsoftonline.com",
                "*.login.microsoftonline.com",
                "login.microsoft.com",
                "login.windows.net",
            ],
            (Self::UsGovernment, AzureService::Entra) => &["login.microsoftonline.us"],
            (Self::China, AzureService::Entra) => {
                &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"]
            }
            (Self::Public, AzureService::Blob) => &["*.blob.core.windows.net", "*.blob.storage.azure.net"],
            (Self::UsGovernment, AzureService::Blob) => &["*.blob.core.usgovcloudapi.net"],
            (Self::China, AzureService::Blob) => &["*.blob.core.chinacloudapi.cn"],
            (Self::Public, AzureService::Vault) => &["*.vault.azure.net"],
            (Self::UsGovernment, AzureService::Vault) => &["*.vault.usgovcloudapi.net"],
            (Self::China, AzureService::Vault) => &["*.vault.azure.cn"],
            (Self::Public, AzureService::Postgres) => &["*.postgres.database.azure.com"],
            (Self::UsGovernment, AzureService::Postgres) => &["*.postgres.database.usgovcloudapi.net"],
            (Self::China, AzureService::Postgres) => &["*.postgres.database.chinacloudapi.cn"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AzureCloud::{China, Public, UsGovernment};
    use super::AzureService::{Arm, Blob, Entra, Postgres, Vault};
    use super::*;

    #[test]
    fn a_host_belongs_to_one_service_of_one_cloud() {
        for (cloud, service, host) in [
            (Public, Arm, "management.azure.com"),
            (Public, Arm, "WestEurope.Management.Azure.com"),
            (UsGovernment, Arm, "management.usgovcloudapi.net"),
            (China, Arm, "management.chinacloudapi.cn"),
            (Public, Entra, "login.microsoftonline.com"),
            (Public, Entra, "westeurope.login.microsoftonline.com"),
            (UsGovernment, Entra, "login.microsoftonline.us"),
            (China, Entra, "login.partner.microsoftonline.cn"),
            (Public, Blob, "acct.blob.core.windows.net"),
            (Public, Blob, "acct.z12.blob.storage.azure.net."),
            (UsGovernment, Blob, "acct.blob.core.usgovcloudapi.net"),
            (China, Blob, "acct.blob.core.chinacloudapi.cn"),
            (Public, Vault, "acme.vault.azure.net"),
            (UsGovernment, Vault, "acme.vault.usgovcloudapi.net"),
            (China, Vault, "acme.vault.azure.cn"),
            (Public, Postgres, "db.postgres.database.azure.com"),
            (Public, Postgres, "db.private.postgres.database.azure.com"),
            (UsGovernment, Postgres, "db.postgres.database.usgovcloudapi.net"),
            (China, Postgres, "db.postgres.database.chinacloudapi.cn"),
        ] {
            for other in AzureCloud::ALL {
                for asked in [Arm, Entra, Blob, Vault, Postgres] {
                    let is_it = other == cloud && asked == service;
                    assert_eq!(other.has(asked, host), is_it, "{host} {other:?} {asked:?}");
                }
            }
        }
    }

    #[test]
    fn a_name_that_only_looks_like_azures_is_no_host_of_azure() {
        for host in [
            "",
            ".management.azure.com",
            "management.azure.com.thief.example",
            "evilmanagement.azure.com",
            "blob.core.windows.net",
            ".blob.core.windows.net",
            "acctblob.core.windows.net",
            "acct.blob.core.windows.net.thief.example",
            "thief.example",
            "acct.blob.thief.example",
            "acme.vault.thief.example",
            "login.microsoftonline.com.thief.example",
            "acct.azurewebsites.net",
            "db.database.azure.com",
            "dbpostgres.database.azure.com",
            "db.postgres.database.azure.com.thief.example",
            "10.0.0.4",
        ] {
            for cloud in AzureCloud::ALL {
                for service in [Arm, Entra, Blob, Vault, Postgres] {
                    assert!(!cloud.has(service, host), "{host} {cloud:?} {service:?}");
                }
            }
        }
    }
}
