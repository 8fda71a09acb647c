//! Parses a database's URL, and keeps its values out of the driver's log.

use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::error::{Error, Result};

/// The keys that the driver knows. It logs any other key with its value, which may be a misspelt password.
const KNOWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The URL without the keys that the driver does not know, and their names.
fn without_unknown_keys(text: &str) -> (String, Vec<String>) {
    let Some((address, query)) = text.split_once('?') else { return (text.to_owned(), Vec::new()) };
    let (mut kept, mut unknown) = (Vec::new(), Vec::new());
    for pair in query.split('&') {
        let key = pair.split('=').next().unwrap_or_default();
        if KNOWN.contains(&key) || (key.starts_with("options[") && key.ends_with(']')) {
            kept.push(pair);
        } else if !pair.is_empty() {
            unknown.push(key.chars().take(40).collect());
        }
    }
    let sign = if kept.is_empty() { "" } else { "?" };
    (format!("{address}{sign}{}", kept.join("&")), unknown)
}

/// Whether the URL has a password.
pub(super) fn has_password(url: &SecretString) -> bool {
    let text = url.expose_secret().split_once("://").map_or("", |(_, rest)| rest);
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let authority = address.split('/').next().unwrap_or_default();
    let login = authority.rsplit_once('@').and_then(|(login, _)| login.split_once(':'));
    login.is_some_and(|(_, password)| !password.is_empty())
        || query.split('&').any(|pair| pair.starts_with("password="))
}

/// The driver's options for the URL. Names unknown keys in the log. Errors never show the text, which holds the password.
pub(super) fn parse(url: &SecretString) -> Result<PgConnectOptions> {
    let text = url.expose_secret();
    let is_postgres = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
    let (text, unknown) = without_unknown_keys(text);
    if is_postgres && !unknown.is_empty() {
        tracing::warn!(keys = ?unknown, "database_url has keys that are not known; they are left out");
    }
    let options = PgConnectOptions::from_str(&text).ok().filter(|_| is_postgres);
    options.ok_or_else(|| Error::Open {
        place: "at database_url".to_owned(),
        why: "it is not a PostgreSQL URL such as postgres://user:password@host:5432/database; characters such as @ or / in the password are written as %40 and %2F".to_owned(),
        source: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_seen_in_both_places() {
        for (url, has) in [
            ("postgres://u:hush@db/x", true),
            ("postgres://u@db/x?sslmode=verify-full&password=hush", true),
            ("postgres://u:hush@db", true),
            ("postgres://u@db:5432/x?sslmode=verify-full", false),
            ("postgres://u:@db/x", false),
            ("postgres://fleet%40contoso.com@db/x?host=/run/a:b@c", false),
        ] {
            assert_eq!(has_password(&SecretString::from(url)), has, "{url}");
        }
    }

    #[test]
    fn an_unknown_key_is_left_out_before_the_driver_logs_its_value() {
        let url = "postgres://u:p@db/x?sslmode=verify-full&passwrd=hunter2&options[a]=b&connect_timeout=3&";
        let (kept, unknown) = without_unknown_keys(url);
        assert_eq!(kept, "postgres://u:p@db/x?sslmode=verify-full&options[a]=b");
        assert_eq!(unknown, ["passwrd", "connect_timeout"]);
        assert_eq!(without_unknown_keys("postgres://u:p@db/x?pw=hunter2").0, "postgres://u:p@db/x");
    }
}
