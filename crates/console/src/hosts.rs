//! The host names by which clients may address the process. Pure.
//!
//! A web page may have its own name resolve to this machine's address (DNS rebinding) and then read the answers: its
//! requests carry its name.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::HeaderMap;
use axum::http::header::HOST;

/// The allowed host names. Addresses, `localhost` and requests without a name are always allowed.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts(BTreeSet<String>);

impl AllowedHosts {
    /// Allows these names too, in any case and with any port.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().map(|name| folded(host_of(name.trim())));
        Self(names.filter(|name| !name.is_empty()).collect())
    }

    /// Whether a request with these headers is answered.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let Some(host) = hosts.next() else {
            // Browsers always send one; probes in HTTP/1.0 do not.
            return true;
        };
        let Ok(host) = host.to_str() else { return false };
        hosts.next().is_none() && self.allows(host_of(host))
    }

    fn allows(&self, host: &str) -> bool {
        let is_address = host.parse::<Ipv4Addr>().is_ok()
            || host
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
        is_address || host.eq_ignore_ascii_case("localhost") || self.0.contains(&folded(host))
    }
}

/// The host of `HOST` or `HOST:PORT`.
pub(crate) fn host_of(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    }
}

/// A name as it is compared: in lower case, without the final dot of a full name.
fn folded(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allows(hosts: &AllowedHosts, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        hosts.allow(&headers)
    }

    #[test]
    fn addresses_and_named_hosts_are_answered_and_a_foreign_name_is_not() {
        let hosts = AllowedHosts::new(["worker-1", "Holdfast.example.com:9464", " "]);
        for host in [
            "127.0.0.1:9464",
            "10.1.2.3",
            "[::1]:9464",
            "[fd00::7]",
            "localhost",
            "LOCALHOST:80",
            "worker-1:9464",
            "WORKER-1",
            "holdfast.example.com.",
            "holdfast.example.com:80",
        ] {
            assert!(allows(&hosts, host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:9464",
            "worker-1.evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil",
            "2130706433",
            "0x7f.1",
            "[::1",
            "fd00::7",
            "",
            ":9464",
            "a b",
        ] {
            assert!(!allows(&hosts, host), "{host}");
        }
    }

    #[test]
    fn a_request_without_a_host_is_answered_and_one_with_two_is_not() {
        let hosts = AllowedHosts::default();
        let mut headers = HeaderMap::new();
        assert!(hosts.allow(&headers));
        headers.append(HOST, HeaderValue::from_static("127.0.0.1"));
        headers.append(HOST, HeaderValue::from_static("127.0.0.1"));
        assert!(!hosts.allow(&headers));
    }
}
