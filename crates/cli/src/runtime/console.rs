//! The HTTP console of a process: its checks and metrics, and where it listens.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_console::{
    AllowedHosts, Check, Console, ConsumersAttached, ListenerLimits, RecentHeartbeat, Server, StoreAnswers,
};
use holdfast_control::{Error, ErrorKind};
use holdfast_store::Store;
use holdfast_telemetry::{Process, Telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::ConsoleArgs;
use crate::runtime::Role;

/// A loop without a completed pass for this long makes the process not ready; loops pass every second.
const RECENT: Duration = Duration::from_secs(30);

/// Counts the consumers attached to a broker's queue.
pub type CountConsumers = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Starts the console of a process, if an address is given, and its metrics for the exporters.
///
/// Both end with `stop`.
pub async fn serve(
    telemetry: &Telemetry,
    role: Role,
    store: Arc<dyn Store>,
    consumers: Option<CountConsumers>,
    args: &ConsoleArgs,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Server>> {
    let listener = match args.listen {
        Some(address) => Some(bind(address, args.allow_remote).await?),
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
    let limits = ListenerLimits { hosts: allowed_hosts(&args.allow_hosts), ..ListenerLimits::default() };
    let server = Server::start(listener, console, limits, stop.clone().cancelled_owned())?;
    tracing::info!(address = %server.address(), "serving /metrics, /healthz and /readyz");
    Ok(Some(server))
}

/// The names of `--allow-host` and the machine's own name, which a web page elsewhere cannot have.
fn allowed_hosts(named: &[String]) -> AllowedHosts {
    #[cfg(unix)]
    let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let own = std::env::var("COMPUTERNAME").unwrap_or_default();
    AllowedHosts::new(named.iter().map(String::as_str).chain([own.as_str()]))
}

async fn bind(address: SocketAddr, allow_remote: bool) -> Result<TcpListener, Error> {
    if !address.ip().to_canonical().is_loopback() {
        if !allow_remote {
            let what =
                format!("{address} is not an address of this machine alone, and the port has no login");
            let help =
                "listen on 127.0.0.1, or give --allow-remote where only your monitoring reaches the port";
            return Err(Error::new(ErrorKind::Invalid, what).help(help));
        }
        tracing::warn!(%address, "whoever reaches this address can read the names and states of the apps");
    }
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another process uses the address".to_owned(),
            _ => error.to_string(),
        };
        let help = "choose another address with --listen; port 0 chooses a free one";
        Error::new(ErrorKind::Conflict, format!("cannot listen on {address}: {why}")).help(help)
    })
}
