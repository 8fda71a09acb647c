//! The container of a SAS.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use url::{Host, Url};

/// A blob container's URL, without a query: `https://ACCOUNT.blob.core.windows.net/CONTAINER`, or
/// `http://127.0.0.1:PORT/ACCOUNT/CONTAINER` for an emulator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Container {
    url: Url,
    name: String,
}

/// The URL is not that of a container. It is not repeated here: it may contain a SAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidContainer {
    /// It is not a URL.
    #[error("a container is given as a URL: https://ACCOUNT.blob.core.windows.net/CONTAINER")]
    Url,
    /// Plain HTTP would expose the SAS to the network.
    #[error("a container's URL must begin with https:// (http:// is for this machine only)")]
    Scheme,
    /// It has a query, a fragment or a user.
    #[error("a container's URL holds no query and no user: the SAS is given under `sas`")]
    Extra,
    /// The path is not that of a container.
    #[error(
        "a container's URL ends in the container's name and nothing more: https://ACCOUNT.blob.core.windows.net/CONTAINER"
    )]
    Path,
    /// Azure does not accept this name.
    #[error("a container's name is 3 to 63 lower-case letters, digits and hyphens")]
    Name,
}

impl Container {
    /// The URL, without a query and without a slash at its end.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The storage account's name.
    pub fn account(&self) -> String {
        storage_account(&self.url)
    }

    /// The blob service of the storage account.
    pub(crate) fn service(&self) -> Url {
        let mut url = self.url.clone();
        let path = if is_path_style(&url) { format!("/{}/", self.account()) } else { "/".to_owned() };
        url.set_path(&path);
        url
    }

    /// The container's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is on this machine, where plain HTTP is allowed.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

impl FromStr for Container {
    type Err = InvalidContainer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Url::parse(text).map_err(|_| InvalidContainer::Url)?.try_into()
    }
}

impl TryFrom<String> for Container {
    type Error = InvalidContainer;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<Url> for Container {
    type Error = InvalidContainer;

    fn try_from(mut url: Url) -> Result<Self, Self::Error> {
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return Err(InvalidContainer::Scheme);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if url.query().is_some() || url.fragment().is_some() || has_user {
            return Err(InvalidContainer::Extra);
        }
        let path: Vec<String> = segments(&url).map(str::to_owned).collect();
        let name = match path.as_slice() {
            [_, name] if is_path_style(&url) => name.clone(),
            [name] if !is_path_style(&url) => name.clone(),
            _ => return Err(InvalidContainer::Path),
        };
        // Azure's own containers are called `$root`, `$web` and `$logs`.
        let plain = name.strip_prefix('$').unwrap_or(&name);
        let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(3..=63).contains(&plain.len()) || !plain.chars().all(is_allowed) {
            return Err(InvalidContainer::Name);
        }
        url.set_path(&path.join("/"));
        Ok(Self { url, name })
    }
}

/// The storage account behind a container's URL: the first label of the host, or the first segment of the path where
/// the host names no account.
pub fn storage_account(container: &Url) -> String {
    let account = if is_path_style(container) {
        segments(container).next()
    } else {
        container.domain().and_then(first_label)
    };
    account.unwrap_or_default().to_owned()
}

fn first_label(domain: &str) -> Option<&str> {
    domain.split('.').next()
}

fn segments(url: &Url) -> impl Iterator<Item = &str> {
    url.path().split('/').filter(|segment| !segment.is_empty())
}

/// Whether the account is in the path, as in emulators: an address or a bare machine name contains no account.
fn is_path_style(url: &Url) -> bool {
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

    fn container(text: &str) -> Result<Container, InvalidContainer> {
        text.parse()
    }

    #[test]
    fn the_account_is_the_hosts_first_label_or_the_paths_first_segment() {
        for (text, account, name) in [
            ("https://acct.blob.core.windows.net/backups", "acct", "backups"),
            ("https://acct.z12.blob.storage.azure.net/backups/", "acct", "backups"),
            ("https://acct.blob.core.chinacloudapi.cn/$root", "acct", "$root"),
            ("http://127.0.0.1:10000/devstoreaccount1/backups", "devstoreaccount1", "backups"),
            ("http://localhost:10000/devstoreaccount1/backups", "devstoreaccount1", "backups"),
            ("http://[::1]:10000/devstoreaccount1/backups", "devstoreaccount1", "backups"),
            ("http://devstoreaccount1.blob.localhost:10000/backups", "devstoreaccount1", "backups"),
        ] {
            let container = container(text).unwrap();
            assert_eq!((container.account().as_str(), container.name()), (account, name), "{text}");
            assert_eq!(storage_account(&Url::parse(text).unwrap()), account);
        }
    }

    #[test]
    fn what_is_not_a_containers_url_is_refused_with_its_reason() {
        for (text, reason) in [
            ("backups", InvalidContainer::Url),
            ("http://acct.blob.core.windows.net/backups", InvalidContainer::Scheme),
            ("file:///backups", InvalidContainer::Scheme),
            ("https://acct.blob.core.windows.net/backups?sv=2022-11-02&sig=x", InvalidContainer::Extra),
            ("https://user:password@acct.blob.core.windows.net/backups", InvalidContainer::Extra),
            ("https://acct.blob.core.windows.net/", InvalidContainer::Path),
            ("https://acct.blob.core.windows.net/backups/shop.zip", InvalidContainer::Path),
            ("http://127.0.0.1:10000/backups", InvalidContainer::Path),
            ("https://acct.blob.core.windows.net/Backups", InvalidContainer::Name),
            ("https://acct.blob.core.windows.net/ab", InvalidContainer::Name),
        ] {
            assert_eq!(container(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_slash_at_the_end_makes_no_other_container() {
        let text = "https://acct.blob.core.windows.net/backups";
        assert_eq!(container(text), container(&format!("{text}/")));
        assert_eq!(container(text).unwrap().to_string(), text);
    }
}
