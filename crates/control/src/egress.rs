//! The servers that a fleet talks to, and what each receives. Pure.

use std::collections::BTreeSet;

use holdfast_arm::{Credential, is_loopback};
use holdfast_config::{Fleet, LoginCredential};
use holdfast_storage::{SasSource, SecretRef, StorageTarget};
use serde::Serialize;
use url::Url;

/// A server, and what it receives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Destination {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What it is asked for.
    pub purpose: String,
    /// What secret it receives.
    pub receives: String,
    /// Whether requests go through the proxy that the environment names.
    pub through_proxy: bool,
}

/// What `azure_identity` asks where neither the fleet file nor the environment names an authority.
const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";

/// The endpoint of managed identities on a virtual machine.
const IMDS: &str = "http://169.254.169.254";

/// The servers of a fleet, in the order of the fleet file, and those that give the tokens of `logins`. `variable` reads
/// the environment.
///
/// The apps' own hosts are missing: only Azure knows them, and they receive no secret.
pub fn destinations<'l>(
    fleet: &Fleet,
    logins: impl IntoIterator<Item = &'l LoginCredential>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<Destination> {
    let mut all = Vec::new();
    for cloud in &fleet.clouds {
        all.extend(Destination::of(&cloud.endpoint, "Azure Resource Manager", "tokens"));
        all.extend(identity(&cloud.credential, cloud.authority.as_ref(), &variable));
    }
    for login in logins {
        // A section of the fleet file has its servers already.
        let LoginCredential::Own(credential) = login else { continue };
        all.extend(identity(credential, None, &variable));
    }
    all.extend(fleet.storages.values().filter_map(storage));
    all.extend(vaults(fleet));
    let drills = fleet.policies.values().filter_map(|policy| policy.drill.as_ref()?.probe.as_ref());
    all.extend(drills.filter_map(|url| Destination::of(&Url::parse(url).ok()?, "probes of drills", "-")));
    for signal in ["", "TRACES_", "METRICS_", "LOGS_"] {
        let collector = variable(&format!("OTEL_EXPORTER_OTLP_{signal}ENDPOINT"));
        let collector = collector.and_then(|url| Url::parse(&url).ok());
        let found =
            collector.and_then(|url| Destination::of(&url, "telemetry", "OTEL_EXPORTER_OTLP_HEADERS"));
        // The exporters make no exception for this machine.
        all.extend(found.map(|found| Destination { through_proxy: true, ..found }));
    }
    let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    match proxies.iter().find_map(|name| Url::parse(&variable(name)?).ok()) {
        Some(proxy) => all.extend(
            Destination::of(&proxy, "the proxy", "encrypted requests")
                .map(|proxy| Destination { through_proxy: false, ..proxy }),
        ),
        None => all.iter_mut().for_each(|destination| destination.through_proxy = false),
    }
    let mut seen = BTreeSet::new();
    all.retain(|destination| seen.insert(destination.clone()));
    all
}

impl Destination {
    /// The server of a URL; `None` for one without a host.
    fn of(url: &Url, purpose: &str, receives: &str) -> Option<Self> {
        let direct = Self::direct(url.host_str()?, url.port_or_known_default()?, purpose, receives);
        Some(Self { through_proxy: !is_loopback(url), ..direct })
    }

    /// A server that is reached without a proxy, such as a database.
    pub fn direct(host: &str, port: u16, purpose: &str, receives: &str) -> Self {
        let (host, purpose, receives) = (host.to_owned(), purpose.to_owned(), receives.to_owned());
        Self { host, port, purpose, receives, through_proxy: false }
    }
}

/// Where the credential's tokens come from.
fn identity(
    credential: &Credential<SecretRef>,
    authority: Option<&Url>,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<Destination> {
    let entra = |purpose, receives| {
        let from_environment = || Url::parse(&variable("AZURE_AUTHORITY_HOST")?).ok();
        let authority = authority.cloned().or_else(from_environment);
        let authority = authority.or_else(|| Url::parse(PUBLIC_AUTHORITY).ok());
        Destination::of(&authority?, purpose, receives)
    };
    match credential {
        Credential::ClientSecret { .. } => entra("Entra", "the client secret"),
        Credential::WorkloadIdentity { .. } => entra("Entra", "the service account's token"),
        Credential::AzureCli { .. } => entra("Entra, by the Azure CLI", "the CLI's own tokens"),
        Credential::ManagedIdentity { .. } => {
            let endpoint = variable("IDENTITY_ENDPOINT").unwrap_or_else(|| IMDS.to_owned());
            let found = Destination::of(&Url::parse(&endpoint).ok()?, "the managed identity", "-")?;
            Some(Destination { through_proxy: false, ..found })
        }
    }
}

fn storage(target: &StorageTarget) -> Option<Destination> {
    let receives = match target.source {
        SasSource::UserDelegation { .. } => "tokens, SAS",
        SasSource::Url(_) | SasSource::AccountKey { .. } => "SAS",
    };
    Destination::of(target.container.url(), "blob storage", receives)
}

/// The Key Vaults of the fleet's secrets.
fn vaults(fleet: &Fleet) -> impl Iterator<Item = Destination> {
    let of_storages = fleet.storages.values().filter_map(|target| target.source.secret().cloned());
    let databases = fleet.apps.iter().flat_map(|app| &app.databases);
    let of_databases = databases.filter_map(|database| database.connection_string.as_ref()?.parse().ok());
    of_storages.chain(of_databases).filter_map(|reference: SecretRef| {
        let SecretRef::KeyVault(secret) = reference else { return None };
        Destination::of(&Url::parse(&secret.to_string()).ok()?, "Key Vault", "tokens")
    })
}

#[cfg(test)]
mod tests {
    use holdfast_config::{Secrets, check};

    use super::*;

    fn rows(fleet: &str, environment: &[(&str, &str)]) -> Vec<String> {
        rows_with(fleet, &[], environment)
    }

    fn rows_with(fleet: &str, logins: &[LoginCredential], environment: &[(&str, &str)]) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), fleet).unwrap();
        let now = holdfast_model::parse_timestamp("2026-11-29T00:00:00Z").unwrap();
        let checked = check(file.path(), Secrets::Leave, now).unwrap();
        let fleet = checked.fleet.unwrap_or_else(|| panic!("{:#?}", checked.problems));
        let variable = |name: &str| {
            environment.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned())
        };
        let row = |found: Destination| {
            let via = if found.through_proxy { " by proxy" } else { "" };
            format!("{}:{} {} <- {}{via}", found.host, found.port, found.purpose, found.receives)
        };
        destinations(&fleet, logins, variable).into_iter().map(row).collect()
    }

    const FLEET: &str = r#"
[azure]
credential = { kind = "client_secret", tenant = "t", client_id = "c", secret = "env:S" }
[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { mint = "account_key", key = "keyvault:https://acme.vault.azure.net/secrets/key" }
[policy.gold]
schedule = "0 2 * * *"
storage = "weu"
[[discover]]
subscription = "0a0a"
policy = "gold"
"#;

    #[test]
    fn every_server_is_named_with_what_it_receives() {
        let plain = [
            "management.azure.com:443 Azure Resource Manager <- tokens",
            "login.microsoftonline.com:443 Entra <- the client secret",
            "acct.blob.core.windows.net:443 blob storage <- SAS",
            "acme.vault.azure.net:443 Key Vault <- tokens",
        ];
        assert_eq!(rows(FLEET, &[]), plain);
        let proxied = rows(
            FLEET,
            &[
                ("https_proxy", "http://proxy.example:3128"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
            ],
        );
        let mut expected: Vec<String> = plain.iter().map(|row| format!("{row} by proxy")).collect();
        expected.push("localhost:4318 telemetry <- OTEL_EXPORTER_OTLP_HEADERS by proxy".to_owned());
        expected.push("proxy.example:3128 the proxy <- encrypted requests".to_owned());
        assert_eq!(proxied, expected);
    }

    #[test]
    fn the_identity_that_logs_in_to_a_server_is_named_once() {
        let login: LoginCredential = "managed_identity".parse().unwrap();
        let found = rows_with(FLEET, &[login.clone(), login, "azure".parse().unwrap()], &[]);
        let identity = "169.254.169.254:80 the managed identity <- -";
        assert_eq!((found.len(), found.iter().filter(|row| *row == identity).count()), (5, 1), "{found:?}");
    }

    #[test]
    fn a_managed_identity_is_asked_without_a_proxy() {
        let credential =
            "{ kind = \"client_secret\", tenant = \"t\", client_id = \"c\", secret = \"env:S\" }";
        let fleet = FLEET.replace(credential, "{ kind = \"managed_identity\" }");
        let proxy = ("HTTPS_PROXY", "http://proxy.example:3128");
        assert_eq!(rows(&fleet, &[proxy])[1], "169.254.169.254:80 the managed identity <- -");
        let arc = ("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token");
        assert_eq!(rows(&fleet, &[proxy, arc])[1], "localhost:40342 the managed identity <- -");
    }
}
