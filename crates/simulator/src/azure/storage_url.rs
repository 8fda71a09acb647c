//! Parses a container's URL in either of its forms.

use url::Url;

use crate::request::decode;

/// The account and container of a URL, and its SAS.
pub(super) struct StorageUrl {
    pub(super) account: String,
    pub(super) container: String,
    /// The SAS, still encoded.
    pub(super) query: String,
    pub(super) https: bool,
}

impl StorageUrl {
    /// Reads `https://ACCOUNT.blob.…/CONTAINER?SAS`, and `http://HOST/ACCOUNT/CONTAINER?SAS` as in emulators.
    /// `None` for any other URL.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let parts: Vec<String> = url.path_segments()?.filter(|part| !part.is_empty()).map(decode).collect();
        let host = url.host_str().unwrap_or_default();
        let by_host = host.split_once(".blob.").map(|(account, _)| account);
        let (account, container) = match (by_host, parts.as_slice()) {
            (Some(account), [container]) => (account.to_owned(), container.clone()),
            (None, [account, container]) => (account.clone(), container.clone()),
            _ => return None,
        };
        let (query, https) = (url.query().unwrap_or_default().to_owned(), url.scheme() == "https");
        Some(Self { account, container, query, https })
    }
}
