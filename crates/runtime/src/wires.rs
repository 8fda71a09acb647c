//! Demands that passwords travel encrypted, to a server whose certificate is verified.

use holdfast_arm::is_loopback;
use holdfast_control::{Error, ErrorKind};
use holdfast_queue::{BrokerWire, broker_wire};
use holdfast_store::{DatabaseWire, database_wire};
use secrecy::SecretString;
use url::Url;

/// Refuses a database off this machine without verified TLS, unless its host is in `allowed`.
pub fn check_database(url: &SecretString, allowed: &[String]) -> anyhow::Result<DatabaseWire> {
    let wire = database_wire(url)?;
    let Some(host) = wire.host.as_ref().filter(|host| !wire.is_verified && !may_be_clear(host, allowed))
    else {
        return Ok(wire);
    };
    let what = format!(
        "the database at {host}:{} is not on this machine, and sslmode={} does not verify its certificate",
        wire.port, wire.ssl_mode
    );
    let help = format!(
        "add sslmode=verify-full to the URL, with sslrootcert=PATH for an authority of your own; or, on a network that only \
         trusted machines reach, give --allow-cleartext {host}"
    );
    Err(Error::new(ErrorKind::Invalid, what).help(&help).into())
}

/// Refuses a broker off this machine without TLS, unless its host is in `allowed`.
pub fn check_broker(url: &SecretString, allowed: &[String]) -> anyhow::Result<BrokerWire> {
    let wire = broker_wire(url)?;
    if wire.is_verified || may_be_clear(&wire.host, allowed) {
        return Ok(wire);
    }
    let (host, port) = (wire.host, wire.port);
    let what = format!(
        "the broker at {host}:{port} is not on this machine, and amqp:// sends the password in the clear"
    );
    let help = format!(
        "write amqps:// and the broker's TLS port, mostly 5671; or, on a network that only trusted machines reach, give \
         --allow-cleartext {host}"
    );
    Err(Error::new(ErrorKind::Invalid, what).help(&help).into())
}

fn may_be_clear(host: &str, allowed: &[String]) -> bool {
    let bare = host.contains(':') && !host.starts_with('[');
    let written = if bare { format!("[{host}]") } else { host.to_owned() };
    let is_here = Url::parse(&format!("http://{written}/")).is_ok_and(|url| is_loopback(&url));
    is_here || allowed.iter().any(|known| known.trim().eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(url: &str, allowed: &[&str]) -> Result<(), String> {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        check_database(&SecretString::from(url), &allowed).map(drop).map_err(|error| error.to_string())
    }

    fn broker(url: &str, allowed: &[&str]) -> Result<(), String> {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        check_broker(&SecretString::from(url), &allowed).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn a_password_leaves_the_machine_only_over_verified_tls_or_to_a_host_that_is_allowed() {
        for query in ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=require"] {
            let url = format!("postgres://u:hunter2@db.example/x{query}");
            let error = database(&url, &["broker.example", ""]).unwrap_err();
            assert!(error.starts_with("the database at db.example:5432 is not on this machine"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
            assert_eq!(database(&url, &["DB.example"]), Ok(()));
        }
        assert_eq!(database("postgres://u:p@db.example/x?sslmode=verify-full", &[]), Ok(()));
        let error = broker("amqp://u:hunter2@broker.example/%2f", &["db.example"]).unwrap_err();
        assert!(
            error.starts_with("the broker at broker.example:5672") && !error.contains("hunter2"),
            "{error}"
        );
        assert_eq!(broker("amqp://u:p@broker.example/%2f", &["db.example", "broker.example"]), Ok(()));
        assert_eq!(broker("amqps://u:p@broker.example/%2f", &[]), Ok(()));
    }

    #[test]
    fn this_machine_needs_no_tls() {
        for host in ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"] {
            assert_eq!(database(&format!("postgres://u:p@{host}/x"), &[]), Ok(()), "{host}");
            assert_eq!(broker(&format!("amqp://u:p@{host}/%2f"), &[]), Ok(()), "{host}");
        }
        assert_eq!(database("postgres://u:p@%2Frun%2Fpostgresql/x", &[]), Ok(()));
        for host in ["127.0.0.1.thief.example", "localhost.thief.example", "0.0.0.0", "10.0.0.1"] {
            assert!(database(&format!("postgres://u:p@{host}/x"), &[]).is_err(), "{host}");
            assert!(broker(&format!("amqp://u:p@{host}/%2f"), &[]).is_err(), "{host}");
        }
    }
}
