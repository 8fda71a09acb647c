//! How clients reach the listener, and what that demands of them.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;

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

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Tls(_) => "Tls",
            Self::BehindProxy => "BehindProxy",
        })
    }
}
