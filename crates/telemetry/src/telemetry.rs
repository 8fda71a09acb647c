//! The program's telemetry: wraps the store, the queue, the calls to Azure and the worker's steps.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use holdfast_arm::{CallObserver, NoopCallObserver};
use holdfast_model::Clock;
use holdfast_queue::Queue;
use holdfast_store::Store;
use holdfast_worker::{NoopStepObserver, StepObserver};
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::trace::TracerProvider as _;

use crate::app_metrics::{Source, observe_apps};
use crate::calls::MeasuredCalls;
use crate::checkpoint_metrics::observe_checkpoints;
use crate::exports::Exports;
use crate::instruments::Instruments;
use crate::logging::{self, LogOptions};
use crate::loop_health::LoopHealth;
use crate::providers::{self, Providers};
use crate::queue::WatchedQueue;
use crate::steps::WatchedSteps;
use crate::store::WatchedStore;

/// Limit for the last export. The work is done by then, so the process waits no longer.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// The name and the kind of messaging that a process has in its telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// The OpenTelemetry `service.name`.
    pub name: &'static str,
    /// The OpenTelemetry `messaging.system`: `rabbitmq` or `in_process`.
    pub messaging_system: &'static str,
    /// Whether each start and end of a run is a line of the log. A command that waits for runs shows them itself.
    pub logs_runs: bool,
}

/// The program's telemetry; without a [`Service`] it has logs only.
pub struct Telemetry {
    pub(crate) working: Option<Working>,
}

/// Traces and metrics of a process that does work.
pub(crate) struct Working {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) providers: Arc<Providers>,
    pub(crate) exports_metrics: bool,
    pub(crate) meter: Meter,
    instruments: Arc<Instruments>,
    pub(crate) planner: Arc<LoopHealth>,
    pub(crate) dispatcher: Arc<LoopHealth>,
    pub(crate) source: Arc<Source>,
    system: &'static str,
    logs_runs: bool,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("works", &self.working.is_some()).finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Starts logging and, for a process with a `service`, traces and metrics.
    ///
    /// Call it once, before any async code runs: the exporters start threads and HTTP clients of their own, which an
    /// async runtime refuses. `variable` reads the `OTEL_*` environment variables.
    pub fn start(
        log: &LogOptions,
        service: Option<Service>,
        variable: impl Fn(&str) -> Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let Some(service) = service else {
            logging::start(log, clock, None, None);
            return Self { working: None };
        };
        let Service { name, messaging_system: system, .. } = service;
        let exports = Exports::from(&variable);
        let resource = providers::resource(name, instance(), variable);
        let providers = Providers::new(&exports, &resource, system);
        let clock_of_logs = Arc::clone(&clock);
        logging::start(log, clock_of_logs, providers.traces.as_ref(), providers.logs.as_ref());
        for what in &providers.failed {
            tracing::warn!("{what}");
        }
        Self { working: Some(Working::new(providers, exports.metrics, service, clock)) }
    }

    /// Wraps a store so that its calls are measured.
    pub fn store(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        let Some(working) = &self.working else { return inner };
        Arc::new(WatchedStore {
            inner,
            instruments: Arc::clone(&working.instruments),
            planner: Arc::clone(&working.planner),
            dispatcher: Arc::clone(&working.dispatcher),
            tracer: working.providers.traces.as_ref().map(|traces| traces.tracer("holdfast")),
            logs_runs: working.logs_runs,
        })
    }

    /// Wraps a queue so that its messages are measured and traced.
    pub fn queue(&self, inner: Arc<dyn Queue>) -> Arc<dyn Queue> {
        let Some(working) = &self.working else { return inner };
        Arc::new(WatchedQueue {
            inner,
            clock: Arc::clone(&working.clock),
            instruments: Arc::clone(&working.instruments),
            dispatcher: Arc::clone(&working.dispatcher),
            system: working.system,
            traced: working.providers.traces.is_some(),
        })
    }

    /// An observer that measures the calls to Azure.
    pub fn calls(&self) -> Arc<dyn CallObserver> {
        match &self.working {
            Some(working) => Arc::new(MeasuredCalls(Arc::clone(&working.instruments))),
            None => Arc::new(NoopCallObserver),
        }
    }

    /// An observer that measures and traces the worker's steps.
    pub fn steps(&self) -> Arc<dyn StepObserver> {
        let Some(working) = &self.working else { return Arc::new(NoopStepObserver) };
        Arc::new(WatchedSteps {
            instruments: Arc::clone(&working.instruments),
            system: working.system,
            traced: working.providers.traces.is_some(),
        })
    }

    /// Exports what is left, within 5 s. Call it after the async runtime has ended.
    pub fn finish(&self) {
        let Some(working) = &self.working else { return };
        let (done, ended) = mpsc::sync_channel::<()>(1);
        let providers = Arc::clone(&working.providers);
        // A collector that does not answer must not keep the process: the thread is left behind.
        std::thread::spawn(move || {
            providers.shut_down();
            drop(done);
        });
        if ended.recv_timeout(FLUSH_WITHIN) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!("the last telemetry could not be exported within {} s", FLUSH_WITHIN.as_secs());
        }
    }
}

impl Working {
    fn new(providers: Providers, exports_metrics: bool, service: Service, clock: Arc<dyn Clock>) -> Self {
        let meter = providers.metrics.meter("holdfast");
        let source = Arc::new(Source::default());
        observe_apps(&meter, &source);
        observe_checkpoints(&meter, &source);
        Self {
            instruments: Arc::new(Instruments::new(&meter)),
            planner: Arc::new(LoopHealth::new(&clock)),
            dispatcher: Arc::new(LoopHealth::new(&clock)),
            providers: Arc::new(providers),
            exports_metrics,
            meter,
            source,
            system: service.messaging_system,
            logs_runs: service.logs_runs,
            clock,
        }
    }
}

/// A random `service.instance.id`.
#[expect(clippy::disallowed_methods, reason = "two processes of one service need different ids")]
fn instance() -> String {
    let mut rng = fastrand::Rng::new();
    format!("{:016x}{:016x}", rng.u64(..), rng.u64(..))
}
