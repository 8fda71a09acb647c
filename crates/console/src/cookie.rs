//! The cookies of the console.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// A cookie. It is sent with the first request of a navigation from another site, as Entra's answer is, and with no form of one.
#[derive(Debug, Clone, Copy)]
pub struct Cookie {
    name: &'static str,
    /// Seconds after which a browser forgets it; what it stands for ends by then.
    lasts_s: u32,
}

impl Cookie {
    /// The cookie of a session.
    pub const SESSION: Self = Self { name: "holdfast", lasts_s: 12 * 3_600 };
    /// The cookie of a login that a person began at Entra ID.
    pub const LOGIN: Self = Self { name: "holdfast-login", lasts_s: 600 };

    /// Over TLS, the prefix keeps other hosts and paths from setting it; a browser takes that prefix from a page without TLS in
    /// no case.
    fn prefix(is_secure: bool) -> &'static str {
        if is_secure { "__Host-" } else { "" }
    }

    /// The header that sets the cookie.
    pub fn set(self, value: &str, is_secure: bool) -> Option<HeaderValue> {
        self.line(value, self.lasts_s, is_secure)
    }

    /// The header that removes the cookie.
    pub fn clear(self, is_secure: bool) -> Option<HeaderValue> {
        self.line("", 0, is_secure)
    }

    fn line(self, value: &str, lasts_s: u32, is_secure: bool) -> Option<HeaderValue> {
        let (prefix, name) = (Self::prefix(is_secure), self.name);
        let secure = if is_secure { "; Secure" } else { "" };
        format!("{prefix}{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lasts_s}{secure}")
            .parse()
            .ok()
    }

    /// The value of the cookie of a request that has it once.
    pub fn read(self, headers: &HeaderMap, is_secure: bool) -> Option<&str> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(of, _)| of.strip_prefix(Self::prefix(is_secure)) == Some(self.name))
            .map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    fn read(headers: &HeaderMap, is_secure: bool) -> Option<&str> {
        Cookie::SESSION.read(headers, is_secure)
    }

    #[test]
    fn a_cookie_over_tls_has_the_host_prefix_and_is_sent_over_tls_alone() {
        let set = Cookie::SESSION.set("a1", true).unwrap();
        let expected = "__Host-holdfast=a1; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200; Secure";
        assert_eq!(set.to_str().unwrap(), expected);
        assert!(Cookie::SESSION.clear(true).unwrap().to_str().unwrap().contains("Max-Age=0; Secure"));
    }

    #[test]
    fn a_cookie_that_is_there_twice_or_under_another_name_is_none() {
        assert_eq!(read(&headers(&["a=b; __Host-holdfast=x; c=d"]), true), Some("x"));
        assert_eq!(read(&headers(&["holdfast=x"]), true), None);
        assert_eq!(read(&headers(&["__Host-holdfast-login=x"]), true), None);
        assert_eq!(read(&headers(&["holdfast=x"]), false), Some("x"));
        assert_eq!(read(&headers(&["__Host-holdfast=x; __Host-holdfast=y"]), true), None);
        assert_eq!(read(&headers(&["__Host-holdfast=x", "__Host-holdfast=y"]), true), None);
        assert_eq!(read(&headers(&["a=holdfast=x"]), false), None);
    }
}
