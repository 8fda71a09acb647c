//! How clients reach the listener, and what that demands of them.

use std::fmt;
use std::sync::Arc;

use holdfast_control::{Error, ErrorKind};
use rustls::ServerConfig;
use url::Url;

/// How clients reach the listener.
#[derive(Clone, Default)]
pub enum Transport {
    /// Without TLS: fit for this machine alone.
    #[default]
    Plain,
    /// By TLS with this configuration.
    Tls(Arc<ServerConfig>),
    /// Through a proxy that ends TLS, and says so with `X-Forwarded-Proto: https`.
    BehindProxy,
}

/// What a listener demands.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// How clients reach it.
    pub transport: Transport,
    /// Whether each request needs a login, also on this machine.
    pub requires_login: bool,
    /// Whether the login in `X-MS-CLIENT-PRINCIPAL` is believed, because the proxy is authentication of Container Apps.
    pub container_apps_auth: bool,
}

impl Entry {
    /// Refuses logins by Entra ID where this listener does not serve `url`, the address to which Entra sends people back.
    pub fn check_public_url(&self, url: &Url) -> Result<(), Error> {
        let is_secure = url.scheme() == "https";
        let (why, help) = match (&self.transport, self.requires_login) {
            (Transport::Tls(_) | Transport::BehindProxy, _) if is_secure => return Ok(()),
            (Transport::Plain, true) if !is_secure => return Ok(()),
            (Transport::Plain, false) => (
                "logins by Entra ID need a console that demands logins".to_owned(),
                "give --tls-cert and --tls-key, or --behind-proxy; on this machine alone, --require-login",
            ),
            (Transport::Plain, true) => (
                format!("without TLS the console is served to this machine alone, and {url} is not"),
                "give --tls-cert and --tls-key or --behind-proxy, or as --public-url http://localhost:PORT",
            ),
            (Transport::Tls(_) | Transport::BehindProxy, _) => {
                (format!("clients come by https, and {url} is not"), "give --public-url https://HOST")
            }
        };
        Err(Error::new(ErrorKind::Invalid, why).help(help))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Tls(_) => "Tls",
            Self::BehindProxy => "BehindProxy",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_back_by_the_way_that_clients_come() {
        let entry = |transport: &Transport, requires_login| Entry {
            transport: transport.clone(),
            requires_login,
            ..Entry::default()
        };
        let (plain, proxy) = (Transport::Plain, Transport::BehindProxy);
        for (entry, url, is_good) in [
            (entry(&plain, false), "http://localhost:9464", false),
            (entry(&plain, true), "http://localhost:9464", true),
            (entry(&plain, true), "https://hf.example", false),
            (entry(&proxy, false), "https://hf.example", true),
            (entry(&proxy, true), "http://localhost:9464", false),
        ] {
            assert_eq!(entry.check_public_url(&url.parse().unwrap()).is_ok(), is_good, "{entry:?} {url}");
        }
    }
}
