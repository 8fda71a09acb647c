//! How the login of a broker's URL would travel.

use lapin::uri::AMQPScheme;
use secrecy::SecretString;

use super::broker_url::BrokerUrl;
use super::connect_error::ConnectError;

/// How the login of a broker's URL would travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerWire {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the scheme is `amqps`, with which the server's certificate is verified.
    pub is_verified: bool,
    /// Whether the URL itself has a password.
    pub has_password: bool,
    /// Whether the login is the client's certificate.
    pub has_certificate_login: bool,
}

/// Reads a broker's URL without connecting. Names keys without an effect in the log.
pub fn broker_wire(url: &SecretString) -> Result<BrokerWire, ConnectError> {
    let url = BrokerUrl::parse(url)?;
    if !url.unknown.is_empty() {
        tracing::warn!(keys = ?url.unknown, "amqp_url has keys that are not known; they are left out");
    }
    Ok(BrokerWire {
        is_verified: url.uri.scheme == AMQPScheme::AMQPS,
        has_password: url.has_password,
        has_certificate_login: url.logs_in_by_certificate(),
        host: url.uri.authority.host,
        port: url.uri.authority.port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_amqps_protects_a_password() {
        for (url, host, port, is_verified) in [
            ("amqp://u:p@broker.example/%2f", "broker.example", 5_672, false),
            ("amqps://u:p@broker.example/%2f", "broker.example", 5_671, true),
            ("amqp://u:p@127.0.0.1:5673/%2f?heartbeat=9", "127.0.0.1", 5_673, false),
        ] {
            let found = broker_wire(&SecretString::from(url)).unwrap();
            assert_eq!(
                (found.host.as_str(), found.port, found.is_verified),
                (host, port, is_verified),
                "{url}"
            );
            assert!(found.has_password && !found.has_certificate_login);
        }
        let error = broker_wire(&SecretString::from("http://u:hunter2@broker")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
