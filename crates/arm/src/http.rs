//! The trait over HTTP.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{AppId, BackupId, Clock, Site, SubscriptionId};
use reqwest::Method;
use url::Url;

use crate::bodies::backup_body;
use crate::token::TokenCache;
use crate::wire::Unreadable;
use crate::{Answer, Arm, Backup, BackupRequest, Error, Observer, Operation, Page, Target, TokenSource};

/// Where ARM is in the public cloud.
pub const PUBLIC_ENDPOINT: &str = "https://management.azure.com";

/// The pages of one list that are followed before it counts as endless.
const PAGES_MAX: usize = 1_000;

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
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) rng: Mutex<fastrand::Rng>,
}

impl HttpArm {
    /// A client. It sends nothing before its first call; `rng` makes the request ids.
    pub fn new(
        settings: Settings,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
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
        url.set_query(None);
        url.query_pairs_mut().append_pair("api-version", &self.settings.api_version);
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

    /// GETs a list to its end.
    async fn list<T: Send>(
        &self,
        target: &Target<'_>,
        first: Url,
        read: impl Fn(&Answer) -> Result<Page<T>, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        let mut url = first;
        loop {
            seen.insert(url.to_string());
            let answer = self.call(target, Method::GET, url, None).await?;
            let page = read(&answer)?;
            all.extend(page.items);
            let Some(next) = page.next else { return Ok(all) };
            url = self.next_page(&next, &seen).map_err(|e| answer.unreadable(target, &e))?;
        }
    }

    /// The next page's URL, which is data from an answer: the token goes nowhere but to the endpoint, and a link that
    /// leads back ends the list.
    fn next_page(&self, link: &str, seen: &BTreeSet<String>) -> Result<Url, Unreadable> {
        let refused = |why: &str| Unreadable(format!("the link to the next page {why}"));
        let url = self.settings.endpoint.join(link).map_err(|_| refused("is no URL"))?;
        if url.origin() != self.settings.endpoint.origin()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(refused(&format!("leads to another host, {}", url.host_str().unwrap_or("none"))));
        }
        if seen.contains(url.as_str()) || seen.len() >= PAGES_MAX {
            return Err(refused("leads in a circle"));
        }
        Ok(url)
    }
}

#[async_trait]
impl Arm for HttpArm {
    async fn sites(&self, subscription: &SubscriptionId) -> Result<Vec<Site>, Error> {
        let path = ["subscriptions", subscription.as_str(), "providers", "Microsoft.Web", "sites"];
        let target = Target::subscription(Operation::ListSites, subscription);
        self.list(&target, self.url(&path), |answer| answer.sites(&target, self.clock.now())).await
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        let target = Target::app(Operation::GetSite, app);
        let answer = self.call(&target, Method::GET, self.app_url(app, &[]), None).await?;
        answer.site(&target, self.clock.now())
    }

    async fn backup(&self, app: &AppId, request: &BackupRequest) -> Result<Backup, Error> {
        let target = Target::app(Operation::Backup, app);
        let body = backup_body(request, &self.settings.api_version);
        let answer = self.call(&target, Method::POST, self.app_url(app, &["backup"]), Some(body)).await?;
        answer.backup(&target, self.clock.now())
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error> {
        let target = Target::backup(Operation::GetBackup, app, id);
        let url = self.app_url(app, &["backups", &id.to_string()]);
        let answer = self.call(&target, Method::GET, url, None).await?;
        answer.backup(&target, self.clock.now())
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        let target = Target::app(Operation::ListBackups, app);
        let url = self.app_url(app, &["backups"]);
        self.list(&target, url, |answer| answer.backups(&target, self.clock.now())).await
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
