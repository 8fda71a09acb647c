//! How the password of a database's URL would travel.

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgSslMode;

use crate::error::Result;
use crate::postgres::database_url::{has_password, parse};

/// How the password of a database's URL would travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseWire {
    /// The host; `None` for a socket of this machine.
    pub host: Option<String>,
    /// The port.
    pub port: u16,
    /// Whether TLS is demanded and the server's certificate is verified.
    pub is_verified: bool,
    /// The value of `sslmode`, as libpq writes it.
    pub ssl_mode: &'static str,
    /// Whether the URL itself has a password.
    pub has_password: bool,
}

/// Reads a database's URL, and what the environment adds to it, without connecting.
pub fn database_wire(url: &SecretString) -> Result<DatabaseWire> {
    let options = parse(url)?;
    let host = options.get_socket().is_none().then(|| options.get_host().to_owned());
    let mode = options.get_ssl_mode();
    // Every public authority issues to everyone, so its certificate proves nothing without the host's name.
    let has_own_authority = || {
        let text = url.expose_secret();
        ["sslrootcert=", "ssl-root-cert=", "ssl-ca="].iter().any(|key| text.contains(key))
    };
    let is_verified = match mode {
        PgSslMode::VerifyFull => true,
        PgSslMode::VerifyCa => has_own_authority(),
        _ => false,
    };
    let (port, ssl_mode, has_password) = (options.get_port(), name(mode), has_password(url));
    Ok(DatabaseWire { host, port, is_verified, ssl_mode, has_password })
}

fn name(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(url: &str) -> DatabaseWire {
        database_wire(&SecretString::from(url)).unwrap()
    }

    #[test]
    fn only_a_verified_certificate_protects_a_password() {
        for (query, is_verified) in [
            ("", false),
            ("?sslmode=disable", false),
            ("?sslmode=prefer", false),
            ("?sslmode=require", false),
            ("?sslmode=verify-ca", false),
            ("?sslmode=verify-ca&sslrootcert=/etc/ca.pem", true),
            ("?sslmode=verify-full", true),
            ("?ssl-mode=VERIFY-FULL", true),
        ] {
            let found = wire(&format!("postgres://u:p@db.example:6432/x{query}"));
            assert_eq!((found.host.as_deref(), found.port), (Some("db.example"), 6432));
            assert_eq!(found.is_verified, is_verified, "{query}");
        }
        assert_eq!(wire("postgres://u:p@%2Frun%2Fpostgresql/x").host, None);
        assert_eq!(wire("postgres://u:p@ignored/x?host=/run/postgresql").host, None);
        assert_eq!(wire("postgres://u:p@db/x?host=other.example").host.as_deref(), Some("other.example"));
    }
}
