//! Who may see the pages and use the API: without a login, only this machine. Pure.
//!
//! The listener refuses foreign names already ([`crate::AllowedHosts`]). Local mode is stricter, because it lets a
//! request act: the name must be that of this machine alone, no proxy may stand between, and a request that acts must
//! not come from another page of the browser.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{FORWARDED, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};

use crate::entry::{Entry, Transport};
use crate::hosts::host_of;

/// Whether the pages and the API are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To everybody on this machine.
    Local,
    /// To clients that log in.
    Login(Reach),
    /// To no client: other machines reach the address, and there is no login.
    Closed,
}

/// How clients that log in reach the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From this machine, without TLS.
    Loopback,
    /// By TLS.
    Tls,
    /// Through a proxy that ends TLS.
    Proxy,
}

impl Access {
    /// The access of a listener on this address.
    pub fn of(address: SocketAddr, entry: &Entry) -> Self {
        match (&entry.transport, address.ip().to_canonical().is_loopback()) {
            (Transport::Tls(_), _) => Self::Login(Reach::Tls),
            (Transport::BehindProxy, _) => Self::Login(Reach::Proxy),
            (Transport::Plain, true) if entry.requires_login => Self::Login(Reach::Loopback),
            (Transport::Plain, true) => Self::Local,
            (Transport::Plain, false) => Self::Closed,
        }
    }

    /// Whether clients come by TLS.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Login(Reach::Tls | Reach::Proxy))
    }

    /// Why a request is refused; `None` where it may be answered.
    pub fn refusal(self, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
        match self {
            Self::Closed => {
                return Some(
                    "other machines reach this address, and the console has no login: serve it on 127.0.0.1, \
                     or with --tls-cert or --behind-proxy, or use the command line",
                );
            }
            Self::Local | Self::Login(Reach::Loopback) if is_forwarded(headers) => {
                return Some(
                    "a proxy forwards to this address, which is for this machine alone: start the console with \
                     --behind-proxy",
                );
            }
            Self::Local | Self::Login(Reach::Loopback)
                if headers.contains_key(HOST) && !has_local_host(headers) =>
            {
                return Some("the console is served to this machine alone: ask for 127.0.0.1 or localhost");
            }
            Self::Login(Reach::Proxy) if text(headers, "x-forwarded-proto") != Some("https") => {
                return Some("the proxy does not say that the client came by https (X-Forwarded-Proto)");
            }
            _ => {}
        }
        let scheme = if self.is_secure() { "https" } else { "http" };
        if !matches!(*method, Method::GET | Method::HEAD) && !is_same_origin(headers, scheme) {
            return Some("the request comes from another site's page");
        }
        None
    }
}

/// Whether a proxy says that it stands between.
fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key(FORWARDED)
        || ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]
            .iter()
            .any(|name| headers.contains_key(*name))
}

/// Whether the request names this machine by a loopback address or as `localhost`.
fn has_local_host(headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, HOST.as_str()).map(host_of) else { return false };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether a request that acts comes from a page of the console, or from no page at all.
fn is_same_origin(headers: &HeaderMap, scheme: &str) -> bool {
    let is_own_page = text(headers, "sec-fetch-site") == Some("same-origin");
    if headers.contains_key("sec-fetch-site") && !is_own_page {
        return false;
    }
    if !headers.contains_key(ORIGIN) {
        return true;
    }
    let own = text(headers, HOST.as_str()).map(|host| format!("{scheme}://{host}"));
    match text(headers, ORIGIN.as_str()) {
        // A page without a referrer posts with this origin. No page can make up `Sec-Fetch-Site`.
        Some("null") => is_own_page,
        origin => own.is_some() && origin.map(ToOwned::to_owned) == own,
    }
}

/// The value of a header that a request has once.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn refusal(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            map.append(name, value);
        }
        Access::Local.refusal(method, &map).is_some()
    }

    const OWN: (&str, &str) = ("host", "127.0.0.1:9464");

    #[test]
    fn only_a_loopback_address_is_local() {
        for (address, access) in [
            ("127.0.0.1:9464", Access::Local),
            ("[::1]:9464", Access::Local),
            ("[::ffff:127.0.0.1]:9464", Access::Local),
            ("0.0.0.0:9464", Access::Closed),
            ("[::]:9464", Access::Closed),
            ("10.0.0.4:9464", Access::Closed),
        ] {
            assert_eq!(Access::of(address.parse().unwrap(), &Entry::default()), access, "{address}");
        }
        assert!(Access::Closed.refusal(&Method::GET, &HeaderMap::new()).is_some());
    }

    #[test]
    fn a_login_is_demanded_by_option_by_tls_and_behind_a_proxy() {
        let of = |address: &str, entry: &Entry| Access::of(address.parse().unwrap(), entry);
        let login = Entry { requires_login: true, ..Entry::default() };
        assert_eq!(of("127.0.0.1:1", &login), Access::Login(Reach::Loopback));
        assert_eq!(
            of("10.0.0.4:1", &login),
            Access::Closed,
            "a token would go over the network in the clear"
        );
        for requires_login in [false, true] {
            let entry = Entry { transport: Transport::BehindProxy, requires_login, ..Entry::default() };
            for address in ["127.0.0.1:1", "0.0.0.0:1"] {
                assert_eq!(of(address, &entry), Access::Login(Reach::Proxy));
            }
        }
    }

    #[test]
    fn behind_a_proxy_the_client_came_by_https_and_posts_from_the_pages_own_origin() {
        let refusal = |method: &Method, headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            Access::Login(Reach::Proxy).refusal(method, &map).is_some()
        };
        let (host, https) = (("host", "hf.example.com"), ("x-forwarded-proto", "https"));
        let forwarded = ("x-forwarded-for", "10.9.9.9");
        assert!(!refusal(&Method::GET, &[host, https, forwarded]));
        assert!(
            refusal(&Method::GET, &[host]) && refusal(&Method::GET, &[host, ("x-forwarded-proto", "http")])
        );
        assert!(refusal(&Method::GET, &[host, https, https]), "two of them");
        assert!(!refusal(&Method::POST, &[host, https, ("origin", "https://hf.example.com")]));
        for origin in ["http://hf.example.com", "https://evil.example"] {
            assert!(refusal(&Method::POST, &[host, https, ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_request_through_a_proxy_or_by_a_foreign_name_is_refused() {
        for host in ["127.0.0.1:9464", "localhost", "LOCALHOST:80", "[::1]:9464", "127.9.9.9"] {
            assert!(!refusal(&Method::GET, &[("host", host)]), "{host}");
        }
        for host in ["10.0.0.4", "worker-1:9464", "localhost.evil", "127.0.0.1.evil", "[::1", ""] {
            assert!(refusal(&Method::GET, &[("host", host)]), "{host}");
        }
        assert!(refusal(&Method::GET, &[OWN, OWN]), "two names");
        for proxy in ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"] {
            assert!(refusal(&Method::GET, &[OWN, (proxy, "10.0.0.4")]), "{proxy}");
        }
    }

    #[test]
    fn a_request_that_acts_comes_from_the_consoles_own_page_or_from_no_page() {
        let post = |headers: &[(&'static str, &'static str)]| refusal(&Method::POST, headers);
        assert!(!post(&[OWN]), "a program");
        assert!(!post(&[OWN, ("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:9464")]));
        for site in ["cross-site", "same-site", "none", "SAME-ORIGIN"] {
            assert!(post(&[OWN, ("sec-fetch-site", site)]), "{site}");
        }
        for origin in ["null", "http://127.0.0.1:9465", "https://127.0.0.1:9464", "http://evil.example", ""] {
            assert!(post(&[OWN, ("origin", origin)]), "{origin}");
        }
        assert!(
            !post(&[OWN, ("sec-fetch-site", "same-origin"), ("origin", "null")]),
            "a page without a referrer"
        );
        assert!(post(&[OWN, ("sec-fetch-site", "cross-site"), ("origin", "null")]), "a sandboxed frame");
        assert!(post(&[("origin", "http://127.0.0.1:9464")]), "no name to compare with");
        assert!(post(&[OWN, ("origin", "http://127.0.0.1:9464"), ("origin", "http://127.0.0.1:9464")]));
    }
}
