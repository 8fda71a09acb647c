//! The HTTP console of a process: its checks and metrics, its pages, and where it listens.

use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::CallObserver;
use holdfast_config::Fleet;
use holdfast_console::{
    Check, Console, ConsumersAttached, ListenerLimits, RecentHeartbeat, Server, Site, SiteFleet, SiteParts,
    StoreAnswers,
};
use holdfast_control::operator_requests::LiveRequests;
use holdfast_control::views::actions::FleetBackups;
use holdfast_model::Clock;
use holdfast_store::Store;
use holdfast_telemetry::{Process, Telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Role;
use crate::checkpoints::{ToStdout, checkpointer};
use crate::fleet_parts::{paced, storages};

/// A loop without a completed pass for this long makes the process not ready; loops pass every second.
const RECENT: Duration = Duration::from_secs(30);

/// Counts the consumers attached to a broker's queue.
pub type CountConsumers = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What a process serves.
pub struct Served<'a> {
    /// Its telemetry.
    pub telemetry: &'a Telemetry,
    /// Its role.
    pub role: Role,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Counts its consumers, where it has a broker.
    pub consumers: Option<CountConsumers>,
    /// What its pages are served from; `None` for a process without pages.
    pub site: Option<SiteParts>,
    /// What the listener allows.
    pub limits: ListenerLimits,
}

/// Starts the console of a process, if it listens, and its metrics for the exporters.
///
/// Both end with `stop`.
pub fn serve(
    listener: Option<TcpListener>,
    served: Served<'_>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Server>> {
    let Served { telemetry, role, store, consumers, site, limits } = served;
    let consumers = consumers.filter(|_| role.works());
    let mut checks: Vec<Arc<dyn Check>> = vec![Arc::new(StoreAnswers(Arc::clone(&store)))];
    let process = Process { schedules: role.plans(), consumers: consumers.clone(), store };
    let Some(health) = telemetry.observe(process, stop) else { return Ok(None) };
    for (name, heartbeat) in health.loops {
        checks.push(Arc::new(RecentHeartbeat::new(name, heartbeat, RECENT)));
    }
    if let Some(consumers) = consumers {
        checks.push(Arc::new(ConsumersAttached(move || consumers())));
    }
    let Some(listener) = listener else { return Ok(None) };
    let site = site.map(|parts| Arc::new(Site::new(parts, checks.clone())));
    if let Some(site) = &site {
        tokio::spawn(follow(Arc::clone(site), stop.clone()));
    }
    let console = Console { checks, metrics: health.metrics, site };
    let running = Server::start(listener, console, limits, stop.clone().cancelled_owned())?;
    tracing::info!(address = %running.address(), "serving the console, /metrics, /healthz and /readyz");
    Ok(Some(running))
}

async fn follow(site: Arc<Site>, stop: CancellationToken) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = site.follow_fleet() => {}
    }
}

/// What a site serves of this fleet. Reads the credentials' secrets; sends nothing.
pub fn site_fleet(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    calls: &Arc<dyn CallObserver>,
    (rng, stdout): (&mut fastrand::Rng, ToStdout),
) -> anyhow::Result<SiteFleet> {
    let azure = LiveRequests {
        fleet: fleet.clone(),
        store: Arc::clone(store),
        arm: paced(fleet, store, clock, calls, rng)?,
        storage: storages(fleet, clock, rng.fork())?,
        clock: Arc::clone(clock),
        checkpointer: checkpointer(fleet, store, clock, stdout)?,
    };
    Ok(SiteFleet {
        policies: fleet.into(),
        backups: Arc::new(FleetBackups { fleet: fleet.clone(), store: Arc::clone(store) }),
        azure: Arc::new(azure),
    })
}
