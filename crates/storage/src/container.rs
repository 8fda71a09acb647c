//! The container of a SAS.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use url::Url;

use crate::host::{check_host, is_loopback, is_path_style, names_account, segments, storage_account};
use crate::invalid_container::InvalidContainer;

/// A blob container's URL, without a query: `https://ACCOUNT.blob.core.windows.net/CONTAINER`, or
/// `http://127.0.0.1:PORT/ACCOUNT/CONTAINER` for an emulator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Container {
    url: Url,
    name: String,
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

    /// The container of this name in the same account.
    pub fn with_name(&self, name: &str) -> Result<Self, InvalidContainer> {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop().push(name);
        }
        url.try_into()
    }

    /// Whether the URL shows the storage account's name: a domain of the account's owner does not.
    pub fn names_account(&self) -> bool {
        names_account(&self.url)
    }

    /// Whether it is the account's root container, which is not made for backups.
    pub fn is_root(&self) -> bool {
        self.name == "$root"
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
        check_name(&name)?;
        check_host(&url)?;
        url.set_path(&path.join("/"));
        Ok(Self { url, name })
    }
}

/// Azure's own containers are called `$root`, `$web` and `$logs`.
fn check_name(name: &str) -> Result<(), InvalidContainer> {
    match name {
        "$root" => return Ok(()),
        "$web" => return Err(InvalidContainer::Website),
        _ if name.starts_with('$') || name.starts_with("%24") => return Err(InvalidContainer::System),
        _ => {}
    }
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.chars().any(|c| c.is_ascii_uppercase()) && !name.contains(['%', '=']) {
        return Err(InvalidContainer::UpperCase);
    }
    if !(3..=63).contains(&name.len()) || !name.chars().all(is_allowed) {
        return Err(InvalidContainer::Name);
    }
    if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        return Err(InvalidContainer::Hyphens);
    }
    Ok(())
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
            ("https://acct.blob.core.windows.net/Backups", InvalidContainer::UpperCase),
            ("https://acct.blob.core.windows.net/ab", InvalidContainer::Name),
            ("https://acct.blob.core.windows.net/back_ups", InvalidContainer::Name),
            ("https://acct.blob.core.windows.net/-backups", InvalidContainer::Hyphens),
            ("https://acct.blob.core.windows.net/backups-", InvalidContainer::Hyphens),
            ("https://acct.blob.core.windows.net/back--ups", InvalidContainer::Hyphens),
            ("https://acct.blob.core.windows.net/$web", InvalidContainer::Website),
            ("https://acct.blob.core.windows.net/$logs", InvalidContainer::System),
            ("https://acct.blob.core.windows.net/$blobchangefeed", InvalidContainer::System),
            ("https://acct.file.core.windows.net/backups", InvalidContainer::Service("file")),
            ("https://acct-secondary.blob.core.windows.net/backups", InvalidContainer::Secondary),
        ] {
            assert_eq!(container(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_name_has_at_most_63_letters() {
        let name = "b".repeat(63);
        assert!(container(&format!("https://acct.blob.core.windows.net/{name}")).is_ok());
        assert_eq!(
            container(&format!("https://acct.blob.core.windows.net/{name}b")),
            Err(InvalidContainer::Name)
        );
    }

    #[test]
    fn a_slash_at_the_end_makes_no_other_container() {
        let text = "https://acct.blob.core.windows.net/backups";
        assert_eq!(container(text), container(&format!("{text}/")));
        assert_eq!(container(text).unwrap().to_string(), text);
    }
}
