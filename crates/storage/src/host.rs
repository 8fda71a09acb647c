//! The host of a container's URL.

use url::{Host, Url};

use crate::invalid_container::InvalidContainer;

/// The other services of a storage account.
const OTHER_SERVICES: [&str; 5] = ["file", "queue", "table", "dfs", "web"];

/// Suffixes that choose a route to the same account.
const ROUTES: [&str; 4] = ["-internetrouting", "-microsoftrouting", "-ipv6", "-dualstack"];

/// Refuses a host of Azure that can take no backups.
pub(crate) fn check_host(url: &Url) -> Result<(), InvalidContainer> {
    let Some((account, services)) = azure_labels(url) else { return Ok(()) };
    if let Some(service) = OTHER_SERVICES.iter().find(|service| services.contains(service)) {
        return Err(InvalidContainer::Service(service));
    }
    if services.contains(&"privatelink") {
        return Err(InvalidContainer::PrivateLink);
    }
    if account.ends_with("-secondary") {
        return Err(InvalidContainer::Secondary);
    }
    let name = without_route(account);
    if !(3..=24).contains(&name.len()) || !name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    {
        return Err(InvalidContainer::Account);
    }
    if url.port().is_some() { Err(InvalidContainer::Port) } else { Ok(()) }
}

/// The account's label, and the labels between it and `core` or `storage`, where the host is one of Azure's:
/// `ACCOUNT.blob.core.windows.net`, `ACCOUNT.z12.blob.storage.azure.net`.
fn azure_labels(url: &Url) -> Option<(&str, Vec<&str>)> {
    let mut labels = url.domain()?.split('.');
    let account = labels.next()?;
    let labels: Vec<&str> = labels.collect();
    let end = labels.iter().position(|label| matches!(*label, "core" | "storage"))?;
    let services = labels.get(..end)?.to_vec();
    let is_known = |label: &&str| *label == "blob" || OTHER_SERVICES.contains(label);
    services.iter().any(is_known).then_some((account, services))
}

/// The storage account behind a container's URL: the first label of the host, or the first segment of the path where
/// the host names no account.
pub fn storage_account(container: &Url) -> String {
    let account = if is_path_style(container) {
        segments(container).next()
    } else {
        container.domain().and_then(|domain| domain.split('.').next()).map(without_route)
    };
    account.unwrap_or_default().to_owned()
}

/// Whether the URL shows the account's name, and is not a domain of the account's owner.
pub(crate) fn names_account(url: &Url) -> bool {
    let is_blob_service = |domain: &str| domain.split('.').skip(1).take(2).any(|label| label == "blob");
    is_path_style(url) || is_loopback(url) || url.domain().is_some_and(is_blob_service)
}

fn without_route(account: &str) -> &str {
    ROUTES.iter().find_map(|route| account.strip_suffix(route)).unwrap_or(account)
}

/// The segments of the path that are not empty.
pub(crate) fn segments(url: &Url) -> impl Iterator<Item = &str> {
    url.path().split('/').filter(|segment| !segment.is_empty())
}

/// Whether the account is in the path, as in emulators: an address or a bare machine name contains no account.
pub(crate) fn is_path_style(url: &Url) -> bool {
    url.domain().is_none_or(|domain| !domain.contains('.'))
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_host_of_azure_that_takes_no_backups_is_refused_with_its_reason() {
        for (host, reason) in [
            ("acct.file.core.windows.net", InvalidContainer::Service("file")),
            ("acct.dfs.core.windows.net", InvalidContainer::Service("dfs")),
            ("acct.queue.core.chinacloudapi.cn", InvalidContainer::Service("queue")),
            ("acct.table.core.usgovcloudapi.net", InvalidContainer::Service("table")),
            ("acct.z6.web.core.windows.net", InvalidContainer::Service("web")),
            ("acct.z12.file.storage.azure.net", InvalidContainer::Service("file")),
            ("acct-secondary.blob.core.windows.net", InvalidContainer::Secondary),
            ("acct.privatelink.blob.core.windows.net", InvalidContainer::PrivateLink),
            ("my-acct.blob.core.windows.net", InvalidContainer::Account),
            ("ac.blob.core.windows.net", InvalidContainer::Account),
            ("a234567890123456789012345.blob.core.windows.net", InvalidContainer::Account),
            ("acct.blob.core.windows.net:8443", InvalidContainer::Port),
        ] {
            assert_eq!(check_host(&url(&format!("https://{host}/backups"))), Err(reason), "{host}");
        }
        for host in [
            "acct.blob.core.windows.net",
            "acct.blob.core.windows.net:443",
            "acct.z12.blob.storage.azure.net",
            "acct.blob.local.azurestack.external",
            "backups.contoso.com",
            "file.storage.contoso.com",
            "devstoreaccount1.blob.localhost:10000",
            "10.0.0.4",
        ] {
            assert_eq!(check_host(&url(&format!("https://{host}/backups"))), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_route_is_no_part_of_the_accounts_name() {
        for route in ["", "-internetrouting", "-microsoftrouting"] {
            let url = url(&format!("https://acct{route}.blob.core.windows.net/backups"));
            assert_eq!((storage_account(&url).as_str(), check_host(&url)), ("acct", Ok(())));
        }
    }

    #[test]
    fn a_domain_of_the_owners_does_not_name_the_account() {
        for (text, is_named) in [
            ("https://acct.blob.core.windows.net/backups", true),
            ("https://acct.z12.blob.storage.azure.net/backups", true),
            ("https://acct.blob.local.azurestack.external/backups", true),
            ("http://127.0.0.1:10000/devstoreaccount1/backups", true),
            ("http://devstoreaccount1.blob.localhost:10000/backups", true),
            ("https://backups.contoso.com/backups", false),
            ("https://acct.azureedge.net/backups", false),
        ] {
            assert_eq!(names_account(&url(text)), is_named, "{text}");
        }
    }
}
