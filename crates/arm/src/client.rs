//! The client: every call of the trait [`Arm`](crate::Arm) over one transport.

mod calls;
mod exchange;
mod pages;

use std::fmt;
use std::sync::{Arc, Mutex};

use holdfast_model::{AppId, Clock};
use url::Url;

use crate::http::HttpTransport;
use crate::{CallObserver, InvalidSettings, Settings, TokenCache, TokenSource, Transport};

/// ARM with one credential, over any [`Transport`].
pub struct ArmClient {
    settings: Settings,
    transport: Arc<dyn Transport>,
    tokens: TokenCache,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn CallObserver>,
    rng: Mutex<fastrand::Rng>,
}

impl ArmClient {
    /// A client over HTTP. It connects at its first call. `rng` makes the request ids.
    pub fn over_http(
        settings: Settings,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn CallObserver>,
        rng: fastrand::Rng,
    ) -> Result<Self, InvalidSettings> {
        let (connect, call) = (settings.connect_timeout, settings.call_timeout);
        let transport = Arc::new(HttpTransport::new(&settings.endpoint, connect, call)?);
        Ok(Self::new(settings, transport, tokens, clock, observer, rng))
    }

    /// A client over another transport, such as the simulator's. `rng` makes the request ids.
    pub fn new(
        settings: Settings,
        transport: Arc<dyn Transport>,
        tokens: Arc<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn CallObserver>,
        rng: fastrand::Rng,
    ) -> Self {
        let tokens = TokenCache::new(tokens, Arc::clone(&clock), settings.token_timeout);
        Self { settings, transport, tokens, clock, observer, rng: Mutex::new(rng) }
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

    /// The provider of permissions has its own api-versions.
    fn permissions_url(&self, app: &AppId) -> Url {
        of_version(self.app_url(app, &["providers", "Microsoft.Authorization", "permissions"]), "2022-04-01")
    }

    /// ARM's own resources have their own api-versions.
    fn subscriptions_url(&self) -> Url {
        of_version(self.url(&["subscriptions"]), "2022-12-01")
    }

    /// The URL of an app, or of `more` below it.
    fn app_url(&self, app: &AppId, more: &[&str]) -> Url {
        let mut path =
            vec!["subscriptions", app.subscription().as_str(), "resourceGroups", app.resource_group()];
        path.extend(["providers", "Microsoft.Web", "sites", app.site()]);
        path.extend(app.slot().iter().flat_map(|slot| ["slots", *slot]));
        path.extend(more);
        self.url(&path)
    }
}

/// The URL with another `api-version`.
fn of_version(mut url: Url, version: &str) -> Url {
    url.query_pairs_mut().clear().append_pair("api-version", version);
    url
}

impl fmt::Debug for ArmClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArmClient").field("settings", &self.settings).finish_non_exhaustive()
    }
}
