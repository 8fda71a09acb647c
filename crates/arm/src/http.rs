//! The client over HTTP: how it is made, and where it sends things.

mod calls;
mod pages;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_model::{AppId, Clock};
use url::Url;

use crate::token::TokenCache;
use crate::{CallObserver, TokenSource};

/// Where ARM is in the public cloud.
pub const PUBLIC_ENDPOINT: &str = "https://management.azure.com";

/// How the client speaks to ARM.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where ARM is: [`PUBLIC_ENDPOINT`], a sovereign cloud's, or the simulator's.
    pub endpoint: Url,
    /// The `api-version` of every request.
    pub api_version: String,
    /// How long a connection may take to be made, TLS included.
    pub connect_timeout: Duration,
    /// How long a request may take, from its start to the end of its answer's body.
    pub call_timeout: Duration,
    /// How long a token may take to be had.
    pub token_timeout: Duration,
}

impl Settings {
    /// The settings for an endpoint, with Holdfast's own values for the rest.
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

/// The settings cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    /// Tokens go to this address.
    #[error("the endpoint `{0}` is neither https nor on this machine, and tokens are sent to it")]
    Endpoint(Url),
    /// The stack would panic at its first use.
    #[error("no TLS provider is installed in this process")]
    NoTlsProvider,
    /// The stack refuses.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// ARM over HTTP with one credential.
pub struct HttpArm {
    pub(crate) settings: Settings,
    pub(crate) http: reqwest::Client,
    pub(crate) tokens: TokenCache,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn CallObserver>,
    pub(crate) rng: Mutex<fastrand::Rng>,
}

impl HttpArm {
    /// A client. It sends nothing before its first call; `rng` makes the request ids.
    pub fn new(
        settings: Settings,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn CallObserver>,
        rng: fastrand::Rng,
    ) -> Result<Self, InvalidSettings> {
        if settings.endpoint.scheme() != "https" && !is_loopback(&settings.endpoint) {
            return Err(InvalidSettings::Endpoint(settings.endpoint));
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(InvalidSettings::NoTlsProvider);
        }
        let http = client_builder(&settings.endpoint)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.call_timeout)
            .build()
            .map_err(InvalidSettings::Client)?;
        let tokens = TokenCache::new(tokens, Arc::clone(&clock), settings.token_timeout);
        Ok(Self { settings, http, tokens, clock, observer, rng: Mutex::new(rng) })
    }

    /// The URL of `path` below the endpoint; each part is escaped.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.settings.endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.versioned(url)
    }

    /// The URL with the `api-version` and no other query.
    fn versioned(&self, mut url: Url) -> Url {
        url.set_query(None);
        url.query_pairs_mut().append_pair("api-version", &self.settings.api_version);
        url
    }

    /// Another provider than the apps' own answers, in versions of its own.
    fn permissions_url(&self, app: &AppId) -> Url {
        let mut url = self.app_url(app, &["providers", "Microsoft.Authorization", "permissions"]);
        url.query_pairs_mut().clear().append_pair("api-version", "2022-04-01");
        url
    }

    fn app_url(&self, app: &AppId, more: &[&str]) -> Url {
        let mut path =
            vec!["subscriptions", app.subscription().as_str(), "resourceGroups", app.resource_group()];
        path.extend(["providers", "Microsoft.Web", "sites", app.site()]);
        path.extend(app.slot().iter().flat_map(|slot| ["slots", *slot]));
        path.extend(more);
        self.url(&path)
    }
}

impl fmt::Debug for HttpArm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpArm").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The stack as Holdfast needs it: no redirects, which would carry a POST or a token elsewhere, and no retries.
///
/// Below `retry::never`, hyper's pool still has a retry that cannot be turned off from here: a request that was given
/// to a pooled connection and found it closed is given to another. It is safe for a POST. hyper hands the request
/// back only while it waits unbegun in the connection's queue (`message: Some` in hyper 1.12,
/// `proto/h1/dispatch.rs`; never so for HTTP/2 once the stream is opened); from its first byte on it fails instead.
/// A test closes a pooled connection under a POST and counts.
///
/// A server on this machine is the simulator: no proxy is asked for it.
pub(crate) fn client_builder(server: &Url) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(concat!("holdfast/", env!("CARGO_PKG_VERSION")));
    if is_loopback(server) { builder.no_proxy() } else { builder }
}

/// Is the host this machine itself?
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
