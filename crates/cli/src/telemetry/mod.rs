//! What the program tells of itself: logs, traces, metrics, health.
//!
//! Everything is seen from outside: the store, the queue, the calls to Azure and the worker's steps are watched as they
//! are called, and the crates that do the work know nothing of telemetry. Nothing here can fail the work.

mod calls;
mod exports;
mod instruments;
mod pass;
mod providers;
mod queue;
mod run_trace;
mod semantic;
mod serve;
mod standing;
mod steps;
mod store;
mod whole_run;

pub use serve::Process;

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use holdfast_arm::CallObserver;
use holdfast_model::Clock;
use holdfast_queue::Queue;
use holdfast_store::Store;
use holdfast_worker::{NoopStepObserver, StepObserver};
use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::trace::TracerProvider as _;

use crate::args::{Global, Level};
use crate::logging;
use calls::MeasuredCalls;
use exports::Exports;
use instruments::Instruments;
use pass::Pass;
use providers::Providers;
use queue::WatchedQueue;
use standing::Source;
use steps::WatchedSteps;
use store::WatchedStore;

/// How long the last telemetry may take on its way out. The work is done by then, and nobody waits longer for this.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// The program's telemetry.
pub struct Telemetry {
    working: Option<Working>,
}

/// What a process that works has beside its logs.
struct Working {
    clock: Arc<dyn Clock>,
    providers: Arc<Providers>,
    exports_metrics: bool,
    meter: Meter,
    instruments: Arc<Instruments>,
    planner: Arc<Pass>,
    dispatcher: Arc<Pass>,
    source: Arc<Source>,
    system: &'static str,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("works", &self.working.is_some()).finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Begins logging and, for a process that works as `service`, everything else. Called once, before there is any
    /// async code: exporters may not be made within it.
    pub fn begin(
        global: &Global,
        default: Level,
        service: Option<&'static str>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let Some(service) = service else {
            logging::begin(global, default, clock, None, None);
            return Self { working: None };
        };
        let variable = |name: &str| std::env::var(name).ok();
        let exports = Exports::from(variable);
        let system = if global.amqp_url.is_some() { "rabbitmq" } else { "in_process" };
        let resource = providers::resource(service, instance(), variable);
        let providers = Providers::new(&exports, &resource, system);
        let clock_of_logs = Arc::clone(&clock);
        logging::begin(global, default, clock_of_logs, providers.traces.as_ref(), providers.logs.as_ref());
        for what in &providers.failed {
            tracing::warn!("{what}");
        }
        Self { working: Some(Working::new(providers, exports.metrics, system, clock)) }
    }

    /// The store, watched.
    pub fn store(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        let Some(working) = &self.working else { return inner };
        Arc::new(WatchedStore {
            inner,
            instruments: Arc::clone(&working.instruments),
            planner: Arc::clone(&working.planner),
            dispatcher: Arc::clone(&working.dispatcher),
            tracer: working.providers.traces.as_ref().map(|traces| traces.tracer("holdfast")),
        })
    }

    /// The queue, watched.
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

    /// For the calls to Azure.
    pub fn calls(&self) -> Arc<dyn CallObserver> {
        match &self.working {
            Some(working) => Arc::new(MeasuredCalls(Arc::clone(&working.instruments))),
            None => Arc::new(holdfast_arm::NoopCallObserver),
        }
    }

    /// For the worker's steps.
    pub fn steps(&self) -> Arc<dyn StepObserver> {
        let Some(working) = &self.working else { return Arc::new(NoopStepObserver) };
        Arc::new(WatchedSteps {
            instruments: Arc::clone(&working.instruments),
            system: working.system,
            traced: working.providers.traces.is_some(),
        })
    }

    /// Sends what is left, within a limit. Called once the async code has ended.
    pub fn end(&self) {
        let Some(working) = &self.working else { return };
        let (done, ended) = mpsc::sync_channel::<()>(1);
        let providers = Arc::clone(&working.providers);
        // A thread of its own, left behind when the collector does not answer: the process ends without it.
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
    fn new(providers: Providers, exports_metrics: bool, system: &'static str, clock: Arc<dyn Clock>) -> Self {
        let meter = providers.metrics.meter("holdfast");
        let source = Arc::new(Source::default());
        standing::observe_apps(&meter, &source);
        Self {
            instruments: Arc::new(Instruments::new(&meter)),
            planner: Arc::new(Pass::new(&clock)),
            dispatcher: Arc::new(Pass::new(&clock)),
            providers: Arc::new(providers),
            exports_metrics,
            meter,
            source,
            system,
            clock,
        }
    }
}

/// Tells processes of one service apart.
#[expect(clippy::disallowed_methods, reason = "two processes must not have the same")]
fn instance() -> String {
    let mut rng = fastrand::Rng::new();
    format!("{:016x}{:016x}", rng.u64(..), rng.u64(..))
}
