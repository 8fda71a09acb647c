//! How the password of a broker's URL would travel.

use lapin::uri::{AMQPScheme, AMQPUri};
use secrecy::{ExposeSecret, SecretString};

use super::connect_error::ConnectError;

/// How the password of a broker's URL would travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerWire {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the scheme is `amqps`, with which the server's certificate is verified.
    pub is_verified: bool,
}

/// Reads a broker's URL without connecting.
pub fn broker_wire(url: &SecretString) -> Result<BrokerWire, ConnectError> {
    // The parser's own error repeats the URL with its password.
    let uri: AMQPUri = url.expose_secret().parse().map_err(|_| ConnectError::Url)?;
    let is_verified = uri.scheme == AMQPScheme::AMQPS;
    Ok(BrokerWire { host: uri.authority.host, port: uri.authority.port, is_verified })
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
            assert_eq!(found, BrokerWire { host: host.to_owned(), port, is_verified }, "{url}");
        }
        let error = broker_wire(&SecretString::from("http://u:hunter2@broker")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
