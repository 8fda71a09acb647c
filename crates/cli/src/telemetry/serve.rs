//! The console of a process that works: what is handed to it, and where it listens.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use holdfast_console::{
    AppStatusCache as Standing, Check, Console, ConsumersAttached as Attached, RecentHeartbeat as Recent,
    Server, StoreAnswers,
};
use holdfast_store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::standing::{Text, observe_consumers, observe_pass};
use super::{Telemetry, Working};
use crate::engine::Role;
use crate::exit::{Exit, Failure};

/// A loop that has not gone round well for this long is not ready: it looks every second.
const RECENT: Duration = Duration::from_secs(30);
/// How often the rows are read for exported metrics, which nobody's scrape refreshes.
const READ_EVERY: Duration = Duration::from_secs(30);

/// What the console shows of a process.
pub struct Process {
    /// Which loops it runs.
    pub role: Role,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Counts the consumers attached to the queue; `None` where the queue is in the process.
    pub attached: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
}

impl Telemetry {
    /// Shows the process until `stop`: over HTTP where it is told to listen, and through the exporters.
    pub async fn serve(
        &self,
        listen: Option<SocketAddr>,
        process: Process,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Server>> {
        let Some(working) = &self.working else { return Ok(None) };
        let listener = match listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let checks = working.show(process);
        if working.exports_metrics {
            tokio::spawn(keep_reading(Arc::clone(&working.source), stop.clone()));
        }
        let Some(listener) = listener else { return Ok(None) };
        let (registry, source) = (working.providers.registry.clone(), Arc::clone(&working.source));
        let console = Console { checks, metrics: Arc::new(Text { registry, source }) };
        let server = Server::start(listener, console, stop.clone().cancelled_owned())?;
        tracing::info!(address = %server.address(), "serving /metrics, /healthz and /readyz");
        Ok(Some(server))
    }
}

impl Working {
    /// Makes the instruments that fit the role, and the checks.
    fn show(&self, process: Process) -> Vec<Arc<dyn Check>> {
        let Process { role, store, attached } = process;
        self.source.set(Arc::new(Standing::new(Arc::clone(&store), Arc::clone(&self.clock))));
        let mut checks: Vec<Arc<dyn Check>> = vec![Arc::new(StoreAnswers(store))];
        if matches!(role, Role::All | Role::Scheduler) {
            let (planner, dispatcher) = (&self.planner.pulse, &self.dispatcher.pulse);
            let name = "holdfast.planner.last_pass.timestamp";
            observe_pass(&self.meter, name, "When the planner last went round well.", planner);
            let name = "holdfast.dispatcher.last_pass.timestamp";
            observe_pass(&self.meter, name, "When the dispatcher last went round well.", dispatcher);
            checks.push(Arc::new(Recent::new("planner", Arc::clone(planner), RECENT)));
            checks.push(Arc::new(Recent::new("dispatcher", Arc::clone(dispatcher), RECENT)));
        }
        if role != Role::Scheduler
            && let Some(attached) = attached
        {
            observe_consumers(&self.meter, Arc::clone(&attached));
            checks.push(Arc::new(Attached(move || attached())));
        }
        checks
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another process listens there".to_owned(),
            _ => error.to_string(),
        };
        let help = "choose another address with --listen; port 0 takes a free one";
        Failure::new(Exit::Usage, format!("cannot listen on {address}: {why}")).help(help)
    })
}

async fn keep_reading(source: Arc<super::Source>, stop: CancellationToken) {
    loop {
        if let Some(standing) = source.standing() {
            standing.refresh().await;
        }
        if tokio::time::timeout(READ_EVERY, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}
