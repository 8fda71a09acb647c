//! The HTTP console of a process: its checks and metrics, and where it listens.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_console::{Check, Console, ConsumersAttached, RecentHeartbeat, Server, StoreAnswers};
use holdfast_control::{Error, ErrorKind};
use holdfast_store::Store;
use holdfast_telemetry::{Process, Telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::runtime::Role;

/// A loop without a completed pass for this long makes the process not ready; loops pass every second.
const RECENT: Duration = Duration::from_secs(30);

/// Counts the consumers attached to a broker's queue.
pub type CountConsumers = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Starts the console of a process on `listen`, if an address is given, and its metrics for the exporters.
///
/// Both end with `stop`.
pub async fn serve(
    telemetry: &Telemetry,
    role: Role,
    store: Arc<dyn Store>,
    consumers: Option<CountConsumers>,
    listen: Option<SocketAddr>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Server>> {
    let listener = match listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
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
    let console = Console { checks, metrics: health.metrics };
    let server = Server::start(listener, console, stop.clone().cancelled_owned())?;
    tracing::info!(address = %server.address(), "serving /metrics, /healthz and /readyz");
    Ok(Some(server))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another process uses the address".to_owned(),
            _ => error.to_string(),
        };
        let help = "choose another address with --listen; port 0 chooses a free one";
        Error::new(ErrorKind::Conflict, format!("cannot listen on {address}: {why}")).help(help)
    })
}
