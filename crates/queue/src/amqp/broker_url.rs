//! Parses a broker's URL: the driver's part, and the files of TLS.
//!
//! The names of the keys are RabbitMQ's own. Source: its page "URI Query Parameters".

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::connect_error::ConnectError;

/// Interval of AMQP heartbeats, in seconds. A peer silent for two of them counts as lost.
const HEARTBEAT_SECONDS: u16 = 10;

/// The keys that have an effect. All others are left out, such as `verify`: certificates are always verified.
const KNOWN: [&str; 8] = [
    "auth_mechanism",
    "cacertfile",
    "certfile",
    "channel_max",
    "connection_timeout",
    "frame_max",
    "heartbeat",
    "keyfile",
];

/// What a broker's URL says.
pub(super) struct BrokerUrl {
    pub uri: AMQPUri,
    pub has_password: bool,
    /// The names of keys that have no effect.
    pub unknown: Vec<String>,
    /// Certificate authorities to trust besides the system's.
    authority: Option<PathBuf>,
    certificate: Option<CertificateFiles>,
}

/// The client's certificate, with those that lead to its authority, and its private key. Both are files in PEM.
struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl BrokerUrl {
    /// Parses the URL. Reads no file.
    pub fn parse(url: &SecretString) -> Result<Self, ConnectError> {
        // The parsers' own errors repeat the URL with its password.
        let mut uri: AMQPUri = url.expose_secret().parse().map_err(|_| ConnectError::Url)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        let whole = Url::parse(url.expose_secret()).map_err(|_| ConnectError::Url)?;
        let file = |name: &str| {
            let mut pairs = whole.query_pairs();
            pairs.find(|(key, _)| key == name).map(|(_, path)| PathBuf::from(path.as_ref()))
        };
        let is_known = |key: &Cow<'_, str>| KNOWN.contains(&key.as_ref());
        let unknown = whole.query_pairs().map(|(key, _)| key).filter(|key| !is_known(key));
        let unknown = unknown.map(|key| key.chars().take(40).collect()).collect();
        let authority = file("cacertfile");
        let certificate = match (file("certfile"), file("keyfile")) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            _ => return Err(ConnectError::UrlParts("certfile and keyfile need each other")),
        };
        let has_files = authority.is_some() || certificate.is_some();
        if has_files && uri.scheme != AMQPScheme::AMQPS {
            return Err(ConnectError::UrlParts("cacertfile, certfile and keyfile need amqps://"));
        }
        let is_external = uri.query.auth_mechanism == Some(SASLMechanism::External);
        if is_external && certificate.is_none() {
            return Err(ConnectError::UrlParts("auth_mechanism=external needs certfile and keyfile"));
        }
        let has_password = whole.password().is_some_and(|password| !password.is_empty());
        Ok(Self { uri, has_password, unknown, authority, certificate })
    }

    /// Whether the client's certificate is the login.
    pub fn logs_in_by_certificate(&self) -> bool {
        self.uri.query.auth_mechanism == Some(SASLMechanism::External)
    }

    /// Whether a certificate is presented.
    pub fn has_certificate(&self) -> bool {
        self.certificate.is_some()
    }

    /// Reads the files for a connection, so that the next one has a certificate that was renewed.
    pub fn tls(&self) -> Result<OwnedTLSConfig, ConnectError> {
        let trusted = match &self.authority {
            None => None,
            Some(path) => Some(String::from_utf8_lossy(&read(path, "cacertfile")?).into_owned()),
        };
        let identity = match &self.certificate {
            None => None,
            Some(CertificateFiles { certificate, key }) => {
                Some(OwnedIdentity::PKCS8 { pem: read(certificate, "certfile")?, key: read(key, "keyfile")? })
            }
        };
        Ok(OwnedTLSConfig { identity, cert_chain: trusted })
    }
}

fn read(path: &Path, key: &'static str) -> Result<Vec<u8>, ConnectError> {
    let failed = |why| ConnectError::File { key, path: path.to_owned(), why };
    let text = fs::read(path).map_err(|error| failed(error.to_string()))?;
    // Without a block the driver would go on, and the broker would see no certificate.
    if !String::from_utf8_lossy(&text).contains("-----BEGIN ") {
        return Err(failed("it has no block in PEM, which starts with -----BEGIN".to_owned()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<BrokerUrl, ConnectError> {
        BrokerUrl::parse(&SecretString::from(url))
    }

    #[test]
    fn a_certificate_has_its_key_and_needs_tls() {
        let files = "certfile=/run/client.pem&keyfile=/run/client%20key.pem";
        let url =
            parse(&format!("amqps://broker/%2f?{files}&auth_mechanism=external&verify=verify_none")).unwrap();
        assert!(url.logs_in_by_certificate() && url.has_certificate() && !url.has_password);
        assert_eq!(url.unknown, ["verify"]);
        assert_eq!(url.certificate.unwrap().key, Path::new("/run/client key.pem"));
        let url = parse(&format!("amqps://u:hush@broker/%2f?{files}")).unwrap();
        assert!(!url.logs_in_by_certificate() && url.has_certificate() && url.has_password);
        for (query, expected) in [
            ("amqps://u:hush@broker?certfile=/a", "certfile and keyfile need each other"),
            ("amqps://u:hush@broker?keyfile=/a", "certfile and keyfile need each other"),
            ("amqp://u:hush@broker?certfile=/a&keyfile=/b", "need amqps://"),
            ("amqp://u:hush@broker?cacertfile=/a", "need amqps://"),
            ("amqps://broker?auth_mechanism=external", "auth_mechanism=external needs certfile and keyfile"),
            ("amqps://u:hush@broker?auth_mechanism=magic", "the broker's URL is invalid"),
        ] {
            let error = parse(query).err().unwrap().to_string();
            assert!(error.contains(expected) && !error.contains("hush"), "{query}: {error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("text"), "hello").unwrap();
        std::fs::write(at("pem"), "-----BEGIN CERTIFICATE-----").unwrap();
        for (certificate, key, expected) in [
            ("pem", "none", "failed to read the keyfile"),
            ("none", "pem", "failed to read the certfile"),
            ("pem", "text", "no block in PEM"),
        ] {
            let query = format!("certfile={}&keyfile={}", at(certificate), at(key));
            let error = parse(&format!("amqps://broker?{query}")).unwrap().tls().unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(&at("")), "{error}");
        }
    }
}
