//! Metrics and health of one process: which loops it runs, and when they last made progress.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use holdfast_console::{AppStatusCache, Heartbeat};
use holdfast_store::Store;
use tokio_util::sync::CancellationToken;

use crate::app_metrics::{MetricsText, Source, observe_consumers, observe_pass};
use crate::telemetry::{Telemetry, Working};

/// Interval between two reads of the app status for exported metrics, which no scrape triggers.
const READ_EVERY: Duration = Duration::from_secs(30);

/// A process as its metrics and checks describe it.
pub struct Process {
    /// Whether it plans and dispatches.
    pub schedules: bool,
    /// Counts the consumers attached to the queue; `None` where the queue is in the process, or the process has none.
    pub consumers: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    /// Its store.
    pub store: Arc<dyn Store>,
}

/// When the loops of a process last made progress, and its metrics as text.
pub struct ProcessHealth {
    /// The planner's and the dispatcher's heartbeat, by name; empty where they do not run.
    pub loops: Vec<(&'static str, Arc<Heartbeat>)>,
    /// The metrics.
    pub metrics: Arc<MetricsText>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("schedules", &self.schedules).finish_non_exhaustive()
    }
}

impl fmt::Debug for ProcessHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessHealth").field("loops", &self.loops.len()).finish_non_exhaustive()
    }
}

impl Telemetry {
    /// The heartbeats of the planner and the dispatcher, by name; empty without a service.
    pub fn loops(&self) -> Vec<(&'static str, Arc<Heartbeat>)> {
        let Some(working) = &self.working else { return Vec::new() };
        [("planner", &working.planner), ("dispatcher", &working.dispatcher)]
            .map(|(name, health)| (name, Arc::clone(&health.heartbeat)))
            .into()
    }

    /// Adds the metrics of a process, and reads the app status for the exporters until `stop`; `None` without a
    /// service.
    pub fn observe(&self, process: Process, stop: &CancellationToken) -> Option<ProcessHealth> {
        let working = self.working.as_ref()?;
        let loops = working.observe(process);
        if working.exports_metrics {
            tokio::spawn(read_until(Arc::clone(&working.source), stop.clone()));
        }
        let (registry, source) = (working.providers.registry.clone(), Arc::clone(&working.source));
        Some(ProcessHealth { loops, metrics: Arc::new(MetricsText { registry, source }) })
    }
}

impl Working {
    fn observe(&self, process: Process) -> Vec<(&'static str, Arc<Heartbeat>)> {
        let Process { schedules, consumers, store } = process;
        self.source.set(Arc::new(AppStatusCache::new(store, Arc::clone(&self.clock))));
        if let Some(consumers) = consumers {
            observe_consumers(&self.meter, consumers);
        }
        if !schedules {
            return Vec::new();
        }
        let (planner, dispatcher) = (&self.planner.heartbeat, &self.dispatcher.heartbeat);
        let name = "holdfast.planner.last_pass.timestamp";
        observe_pass(&self.meter, name, "When the planner last completed a pass.", planner);
        let name = "holdfast.dispatcher.last_pass.timestamp";
        observe_pass(&self.meter, name, "When the dispatcher last completed a pass.", dispatcher);
        vec![("planner", Arc::clone(planner)), ("dispatcher", Arc::clone(dispatcher))]
    }
}

async fn read_until(source: Arc<Source>, stop: CancellationToken) {
    loop {
        if let Some(cache) = source.cache() {
            cache.refresh().await;
        }
        if tokio::time::timeout(READ_EVERY, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}
