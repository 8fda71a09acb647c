//! The cookie of a session.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// Seconds after which a browser forgets the cookie; the session ends by then.
const LASTS_S: u32 = 12 * 3_600;

/// The name of the cookie. Over TLS, the prefix keeps other hosts and paths from setting it; a browser takes that prefix from
/// a page without TLS in no case.
fn name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-holdfast" } else { "holdfast" }
}

/// The header that sets the cookie.
pub fn set(value: &str, is_secure: bool) -> Option<HeaderValue> {
    let secure = if is_secure { "; Secure" } else { "" };
    let text =
        format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={LASTS_S}{secure}", name(is_secure));
    text.parse().ok()
}

/// The header that removes the cookie.
pub fn clear(is_secure: bool) -> Option<HeaderValue> {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}", name(is_secure)).parse().ok()
}

/// The value of the cookie of a request that has it once.
pub fn read(headers: &HeaderMap, is_secure: bool) -> Option<&str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut values = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(of, _)| *of == name(is_secure))
        .map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
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

    #[test]
    fn a_cookie_over_tls_has_the_host_prefix_and_is_sent_over_tls_alone() {
        let set = set("a1", true).unwrap();
        let expected = "__Host-holdfast=a1; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200; Secure";
        assert_eq!(set.to_str().unwrap(), expected);
        assert!(clear(true).unwrap().to_str().unwrap().contains("Max-Age=0; Secure"));
    }

    #[test]
    fn a_cookie_that_is_there_twice_or_under_another_name_is_none() {
        assert_eq!(read(&headers(&["a=b; __Host-holdfast=x; c=d"]), true), Some("x"));
        assert_eq!(read(&headers(&["holdfast=x"]), true), None);
        assert_eq!(read(&headers(&["holdfast=x"]), false), Some("x"));
        assert_eq!(read(&headers(&["__Host-holdfast=x; __Host-holdfast=y"]), true), None);
        assert_eq!(read(&headers(&["__Host-holdfast=x", "__Host-holdfast=y"]), true), None);
        assert_eq!(read(&headers(&["a=holdfast=x"]), false), None);
    }
}
