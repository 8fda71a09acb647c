//! A console over a filled store, and requests to it.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_access::{Role, Scope};
use holdfast_console::{
    Check, Console, Entry, ListenerLimits, Metrics, MetricsError, Server, Site, SiteFleet, SiteParts,
    StoreAnswers,
};
use holdfast_control::approvals::FourEyes;
use holdfast_control::tokens::{self, TokenRequest, USUAL_LIFE};
use holdfast_entra::Entra;
use holdfast_model::{Clock, ManualClock, PolicyName};
use holdfast_store::{RunFilter, Store};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::azure::FakeAzure;
use crate::azure_audit::FakeLetters;
use crate::filled::{Backups, Filled, Filling, policies};
use crate::http::send;

struct NoMetrics;

#[async_trait]
impl Metrics for NoMetrics {
    async fn text(&self) -> Result<String, MetricsError> {
        Ok(String::new())
    }
}

pub struct World {
    pub store: Arc<dyn Store>,
    server: Server,
    /// Stops the server.
    pub stop: Arc<Notify>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// What most consoles do without.
#[derive(Default)]
struct Extras {
    entra: Option<Entra>,
    four_eyes: FourEyes,
}

impl World {
    /// A console on this machine alone.
    pub async fn of(filling: Filling) -> Self {
        Self::at("127.0.0.1:0", filling).await
    }

    /// A console at an address.
    pub async fn at(address: &str, filling: Filling) -> Self {
        let filled = Filled::new(filling).await;
        let store = Arc::clone(&filled.store);
        Self::over(address, store, Arc::clone(&filled.clock) as _).await
    }

    /// A console that demands a login, and its clock.
    pub async fn with_login(filling: Filling) -> (Self, Arc<ManualClock>) {
        Self::entered(filling, Entry { requires_login: true, ..Entry::default() }).await
    }

    /// A console that clients reach in a way, and its clock.
    pub async fn entered(filling: Filling, entry: Entry) -> (Self, Arc<ManualClock>) {
        let filled = Filled::new(filling).await;
        let (store, clock) = (Arc::clone(&filled.store), Arc::clone(&filled.clock));
        let limits = ListenerLimits { entry, ..ListenerLimits::default() };
        (
            Self::within("127.0.0.1:0", (store, Arc::clone(&clock) as _), limits, Extras::default()).await,
            clock,
        )
    }

    /// A console over a filled store, which clients reach in a way.
    pub async fn of_filled(filled: &Filled, entry: Entry) -> Self {
        let parts = (Arc::clone(&filled.store), Arc::clone(&filled.clock) as _);
        let limits = ListenerLimits { entry, ..ListenerLimits::default() };
        Self::within("127.0.0.1:0", parts, limits, Extras::default()).await
    }

    /// A console whose clients can log in by Entra ID, and its clock.
    pub async fn with_entra(
        entry: Entry,
        logins: impl FnOnce(Arc<dyn Clock>) -> Entra,
    ) -> (Self, Arc<ManualClock>) {
        let filled = Filled::new(Filling { apps: 1, days: 0, hostile: false }).await;
        let (store, clock) = (Arc::clone(&filled.store), Arc::clone(&filled.clock));
        let limits = ListenerLimits { entry, ..ListenerLimits::default() };
        let extras = Extras { entra: Some(logins(Arc::clone(&clock) as _)), ..Extras::default() };
        (Self::within("127.0.0.1:0", (store, Arc::clone(&clock) as _), limits, extras).await, clock)
    }

    /// A console that demands a login, whose restores a second person confirms, and its clock.
    pub async fn with_four_eyes(filling: Filling) -> (Self, Arc<ManualClock>) {
        let filled = Filled::new(filling).await;
        let (store, clock) = (Arc::clone(&filled.store), Arc::clone(&filled.clock));
        let entry = Entry { requires_login: true, ..Entry::default() };
        let limits = ListenerLimits { entry, ..ListenerLimits::default() };
        let four_eyes = FourEyes { restore: true, ..FourEyes::default() };
        let extras = Extras { four_eyes, ..Extras::default() };
        (Self::within("127.0.0.1:0", (store, Arc::clone(&clock) as _), limits, extras).await, clock)
    }

    /// A console that demands a login and takes so many connections of a peer.
    pub async fn with_connections(filling: Filling, connections_of_peer: usize) -> Self {
        let filled = Filled::new(filling).await;
        let entry = Entry { requires_login: true, ..Entry::default() };
        let limits = ListenerLimits { entry, connections_of_peer, ..ListenerLimits::default() };
        let parts = (Arc::clone(&filled.store), Arc::clone(&filled.clock) as _);
        Self::within("127.0.0.1:0", parts, limits, Extras::default()).await
    }

    /// A console over a store.
    pub async fn over(address: &str, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self::within(address, (store, clock), ListenerLimits::default(), Extras::default()).await
    }

    async fn within(
        address: &str,
        (store, clock): (Arc<dyn Store>, Arc<dyn Clock>),
        limits: ListenerLimits,
        Extras { entra, four_eyes }: Extras,
    ) -> Self {
        let checks: Vec<Arc<dyn Check>> = vec![Arc::new(StoreAnswers(Arc::clone(&store)))];
        let fleet = SiteFleet {
            policies: policies(),
            backups: Arc::new(Backups(Arc::clone(&store))),
            azure: Arc::new(FakeAzure::new(&store, four_eyes)),
        };
        let parts = SiteParts {
            store: Arc::clone(&store),
            clock,
            fleet: tokio::sync::watch::channel(Arc::new(fleet)).1,
            person: "ann".into(),
            random: Arc::new(ring::rand::SystemRandom::new()),
            entra,
            letters: Some(Arc::new(FakeLetters)),
        };
        let site = Some(Arc::new(Site::new(parts, checks.clone())));
        let console = Console { checks, metrics: Arc::new(NoMetrics), site };
        let listener = TcpListener::bind(address).await.unwrap();
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop).notified_owned();
        let server = Server::start(listener, console, limits, stopped).unwrap();
        Self { store, server, stop }
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// Everything in the audit.
    pub async fn audit(&self) -> String {
        format!("{:?}", self.store.audit(0, 10_000).await.unwrap())
    }

    /// A new API token, whose acts are limited to policies where there are any.
    pub async fn token(&self, name: &str, role: Role, policies: &[&str]) -> String {
        let scope = Scope::of(policies.iter().map(|policy| PolicyName::new(*policy)));
        let (name, actor) = (name.to_owned(), "boss".into());
        let request = TokenRequest { name, role, scope, life: USUAL_LIFE, actor };
        let mut rng = fastrand::Rng::with_seed(request.name.bytes().map(u64::from).sum());
        let mut bits = [0; 32];
        rng.fill(&mut bits);
        let created = tokens::create(&*self.store, request, None, bits, &mut rng).await.unwrap();
        created.text.expose().to_owned()
    }

    /// The number of backup runs in the store.
    pub async fn runs(&self) -> usize {
        let filter = RunFilter { kind: Some(holdfast_model::RunKind::Backup), ..RunFilter::default() };
        self.store.runs(&filter).await.unwrap().len()
    }

    /// The answer to a request of a program.
    pub async fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut address = self.server.address();
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        let host = address.to_string();
        let mut all = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "Host") {
            all.push(("Host", &host));
        }
        let (status, head, body) = send(address, request, &all, body).await;
        Answer { status, head, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[], "").await
    }

    /// The page, which must be there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Sends a form of one of the console's own pages.
    pub async fn form(&self, path: &str, body: &str) -> Answer {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        // As browsers do from a page without a referrer.
        let own = [kind, ("Sec-Fetch-Site", "same-origin"), ("Origin", "null")];
        self.ask(&format!("POST {path}"), &own, body).await
    }

    /// Every page of a fleet with a run and an app.
    pub async fn pages(&self) -> Vec<String> {
        let run = between(&self.page("/activity?outcome=failed").await, "href=\"/runs/", "\"").to_owned();
        let app = between(&self.page("/fleet").await, "data-row href=\"", "\"").to_owned();
        let fixed =
            ["/", "/fleet", "/fleet?policy=gold&sort=name", "/activity", "/audit", "/capacity", "/coverage"];
        let mut paths: Vec<String> = fixed.map(str::to_owned).into();
        paths.extend([format!("/runs/{run}"), app]);
        paths
    }
}

/// The first text between two texts.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split_once(after).unwrap().0
}
