//! How the client reaches ARM.

use std::time::Duration;

use url::Url;

/// ARM's address in the public cloud.
pub const PUBLIC_ENDPOINT: &str = "https://management.azure.com";

/// How the client reaches ARM.
#[derive(Debug, Clone)]
pub struct Settings {
    /// ARM's address: [`PUBLIC_ENDPOINT`], a sovereign cloud's, or the simulator's.
    pub endpoint: Url,
    /// The `api-version` of every request.
    pub api_version: String,
    /// The longest time to connect, TLS included.
    pub connect_timeout: Duration,
    /// The longest time for a request, from its start to the end of the response's body.
    pub call_timeout: Duration,
    /// The longest time to obtain a token.
    pub token_timeout: Duration,
}

impl Settings {
    /// The settings for an endpoint, with Holdfast's defaults for the rest.
    pub fn new(endpoint: Url) -> Self {
        Self {
            endpoint,
            api_version: "2024-11-01".to_owned(),
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_mins(1),
            token_timeout: Duration::from_secs(30),
        }
    }
}

/// The client cannot be built from its settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// Tokens or secrets would travel unencrypted to another machine.
    #[error("`{0}` is neither https nor on this machine, and tokens or secrets are sent to it")]
    Endpoint(Url),
    /// The HTTP client would panic at its first use.
    #[error("no TLS provider is installed in this process")]
    NoTlsProvider,
    /// The HTTP client cannot be built.
    #[error("failed to build the HTTP client")]
    Client(#[source] reqwest::Error),
}
