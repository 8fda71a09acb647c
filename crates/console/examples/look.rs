//! Serves the console over a filled store, to look at it: `cargo run -p holdfast-console --example look -- PORT APPS`.

#![expect(clippy::unwrap_used, reason = "an example stops at the first surprise")]

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_console::{
    Console, ListenerLimits, Metrics, MetricsError, Server, Site, SiteFleet, SiteParts, StoreAnswers,
};
use tokio::net::TcpListener;

#[path = "../tests/it/filled.rs"]
mod filled;

#[path = "../tests/it/azure.rs"]
mod azure;

#[path = "../tests/it/azure_audit.rs"]
mod azure_audit;
#[path = "../tests/it/azure_requests.rs"]
mod azure_requests;

struct NoMetrics;

#[async_trait]
impl Metrics for NoMetrics {
    async fn text(&self) -> Result<String, MetricsError> {
        Ok(String::new())
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(9_464, |port| port.parse().unwrap());
    let apps = arguments.next().map_or(180, |apps| apps.parse().unwrap());
    let hostile = arguments.next().is_some();
    let days = if apps > 1_000 { 2 } else { 30 };
    let filled = filled::Filled::new(filled::Filling { apps, days, hostile }).await;
    let checks: Vec<Arc<dyn holdfast_console::Check>> =
        vec![Arc::new(StoreAnswers(Arc::clone(&filled.store)))];
    let four_eyes = holdfast_control::approvals::FourEyes::default();
    let fleet = SiteFleet {
        policies: filled::policies(),
        backups: Arc::new(filled::Backups(Arc::clone(&filled.store))),
        azure: Arc::new(azure::FakeAzure::new(&filled.store, four_eyes)),
    };
    let parts = SiteParts {
        store: Arc::clone(&filled.store),
        clock: Arc::clone(&filled.clock) as _,
        fleet: tokio::sync::watch::channel(Arc::new(fleet)).1,
        person: "ann".into(),
        random: Arc::new(ring::rand::SystemRandom::new()),
        entra: None,
        letters: Some(Arc::new(azure_audit::FakeLetters)),
    };
    let site = Arc::new(Site::new(parts, checks.clone()));
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let console = Console { checks, metrics: Arc::new(NoMetrics), site: Some(site) };
    let server = Server::start(listener, console, ListenerLimits::default(), std::future::pending()).unwrap();
    server.stopped().await.unwrap();
}
