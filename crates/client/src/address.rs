//! The address of a server: where a token may be sent.

use std::fmt;

use holdfast_arm::is_loopback;
use holdfast_control::{Error, ErrorKind};
use url::{Host, Url};

/// The address of a server, by https or on this machine, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress(Url);

impl ServerAddress {
    /// Reads the address of a server.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            let what = format!("the address of the server cannot be used: {why}");
            Error::new(ErrorKind::Invalid, what).help("give an address such as https://holdfast.example")
        };
        let url: Url = text.trim().parse().map_err(|error| wrong(&format!("{error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it holds a login, which belongs into HOLDFAST_TOKEN"));
        }
        let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if has_more || url.host().is_none_or(|host: Host<&str>| host.to_string().is_empty()) {
            return Err(wrong("it is not a scheme, a host and a port alone"));
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(wrong("http would send the token in the clear")),
            other => Err(wrong(&format!("{other} is not https"))),
        }
    }

    /// The address of the server.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The address of a call of the API, such as `runs` and an id.
    pub(crate) fn call(&self, path: &[&str]) -> Url {
        let mut url = self.0.clone();
        // Only an address that cannot be a base has no segments, and each address has a host.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(["api", "v1"]).extend(path);
        }
        url
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::ServerAddress;

    #[test]
    fn a_token_is_sent_by_https_or_to_this_machine_alone() {
        for good in ["https://hf.example", "http://127.0.0.1:9464/", "http://localhost:80", "https://[::1]:1"]
        {
            assert!(ServerAddress::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://hf.example", "in the clear"),
            ("http://localhost.example", "in the clear"),
            ("https://ann:hunter2@hf.example", "holds a login"),
            ("https://hf.example/console", "alone"),
            ("https://hf.example?token=1", "alone"),
            ("ftp://hf.example", "not https"),
            ("hf.example", "cannot be used"),
        ] {
            let error = ServerAddress::parse(bad).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("hunter2"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_name_stays_inside_its_segment() {
        let address = ServerAddress::parse("https://hf.example").unwrap();
        assert_eq!(
            address.call(&["tokens", "a/../b?c"]).as_str(),
            "https://hf.example/api/v1/tokens/a%2F..%2Fb%3Fc"
        );
        assert_eq!(address.to_string(), "https://hf.example");
    }
}
