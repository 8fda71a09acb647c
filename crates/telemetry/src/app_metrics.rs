//! Metrics that a scrape reads: the status of apps from the store's rows, and the last passes of the loops.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use holdfast_console::{AppStatusCache, AppStatusReading, Heartbeat, Metrics, MetricsError};
use holdfast_model::Timestamp;
use holdfast_store::AppStatus;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use opentelemetry_sdk::metrics::{Instrument, Stream};
use prometheus::{Registry, TextEncoder};

/// What the names of metrics of single apps begin with.
const OF_AN_APP: &str = "holdfast.app.";
/// The one whose name the world looks for.
const LAST_SUCCESS: &str = "holdfast.last_success.timestamp";
/// Maximum number of apps with separate series. The library's default is 2,000, and it aggregates the rest.
const APPS_MAX: usize = 20_000;

/// More series for the metrics of single apps.
pub fn more_series(instrument: &Instrument) -> Option<Stream> {
    let of_an_app = instrument.name() == LAST_SUCCESS || instrument.name().starts_with(OF_AN_APP);
    of_an_app.then(|| Stream::builder().with_cardinality_limit(APPS_MAX).build().ok()).flatten()
}

/// Where the instruments below read. It is filled once the store is open.
#[derive(Debug, Default)]
pub struct Source(Mutex<Option<Arc<AppStatusCache>>>);

impl Source {
    pub fn set(&self, cache: Arc<AppStatusCache>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cache);
    }

    pub fn cache(&self) -> Option<Arc<AppStatusCache>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn latest(&self) -> Option<Arc<AppStatusReading>> {
        self.cache()?.latest()
    }
}

/// The instruments that read the rows.
pub fn observe_apps(meter: &Meter, source: &Arc<Source>) {
    let each = |name: &'static str, unit: &'static str, what: &'static str, value: fn(&AppStatus) -> f64| {
        let source = Arc::clone(source);
        let observed = move |observer: &dyn AsyncInstrument<f64>| {
            for app in source.latest().iter().flat_map(|latest| &latest.apps) {
                observer.observe(value(app), &labels(app));
            }
        };
        meter
            .f64_observable_gauge(name)
            .with_unit(unit)
            .with_description(what)
            .with_callback(observed)
            .build()
    };
    each(
        LAST_SUCCESS,
        "s",
        "When Azure accepted the app's latest good backup, by the store's rows; 0 for never.",
        |app| app.last_good_at.map_or(0.0, seconds),
    );
    each(
        "holdfast.app.past_objective",
        "",
        "1 for an app past its recovery point objective, else 0.",
        |app| f64::from(u8::from(app.past_objective)),
    );
    observe_unprotected(meter, source);
    each(
        "holdfast.app.missing",
        "",
        "1 for an app that Azure's list leaves out without proof that it is gone, else 0.",
        |app| f64::from(u8::from(app.missing_since.is_some())),
    );
    each(
        "holdfast.app.schedule_drift",
        "",
        "1 for an app whose native schedule differed from the policy's in its latest catalog check, else 0.",
        |app| f64::from(u8::from(app.check.drift)),
    );
    each(
        "holdfast.app.lost_backups",
        "",
        "Backups of the app that a restore could use and that were found missing within the last week.",
        |app| f64::from(u32::try_from(app.check.lost).unwrap_or(u32::MAX)),
    );
    observe_unreadable(meter, source);
    let source = Arc::clone(source);
    meter
        .f64_observable_gauge("holdfast.app_status.read.timestamp")
        .with_unit("s")
        .with_description("When the rows behind the metrics of apps were last read.")
        .with_callback(move |observer| {
            if let Some(latest) = source.latest() {
                observer.observe(seconds(latest.at), &[]);
            }
        })
        .build();
}

/// An instrument for the rows that this process left out because they cannot be read.
fn observe_unreadable(meter: &Meter, source: &Arc<Source>) {
    let source = Arc::clone(source);
    meter
        .u64_observable_gauge("holdfast.store.unreadable_rows")
        .with_description("Rows that this process could not read since its start, each counted once.")
        .with_callback(move |observer| {
            if let Some(cache) = source.cache() {
                observer.observe(cache.unreadable_rows(), &[]);
            }
        })
        .build();
}

/// An instrument for the apps whose backups no objective watches. A protected app has no series.
fn observe_unprotected(meter: &Meter, source: &Arc<Source>) {
    let source = Arc::clone(source);
    meter
        .u64_observable_gauge("holdfast.app.unprotected")
        .with_description("1 for an app that is paused, in no policy, or in a policy without an objective.")
        .with_callback(move |observer| {
            for app in source.latest().iter().flat_map(|latest| &latest.apps) {
                let Some(reason) = app.unprotected() else { continue };
                let mut labels = labels(app).to_vec();
                labels.push(KeyValue::new("reason", <&'static str>::from(reason)));
                observer.observe(1, &labels);
            }
        })
        .build();
}

/// An instrument for the last good pass of a loop. Where the loop does not run it shows nothing.
pub fn observe_pass(meter: &Meter, name: &'static str, what: &'static str, heartbeat: &Arc<Heartbeat>) {
    let heartbeat = Arc::clone(heartbeat);
    meter
        .f64_observable_gauge(name)
        .with_unit("s")
        .with_description(what)
        .with_callback(move |observer| {
            if let Some(at) = heartbeat.at() {
                observer.observe(seconds(at), &[]);
            }
        })
        .build();
}

/// An instrument for the consumers attached.
pub fn observe_consumers(meter: &Meter, attached: Arc<dyn Fn() -> u64 + Send + Sync>) {
    meter
        .u64_observable_gauge("holdfast.consumers.attached")
        .with_unit("{consumer}")
        .with_description("Consumers attached to the queue.")
        .with_callback(move |observer| observer.observe(attached(), &[]))
        .build();
}

/// Names that are unique together: a short name alone may stand for apps of two groups.
fn labels(app: &AppStatus) -> [KeyValue; 4] {
    let policy = app.policy.as_ref().map_or("none", holdfast_model::PolicyName::as_str);
    [
        KeyValue::new("app", app.app.short_name()),
        KeyValue::new("policy", policy.to_owned()),
        KeyValue::new("resource_group", app.app.resource_group().to_owned()),
        KeyValue::new("subscription", app.app.subscription().as_str().to_owned()),
    ]
}

/// Since 1970, to the millisecond.
#[expect(clippy::cast_precision_loss, reason = "milliseconds stay exact for 285,000 years")]
pub fn seconds(at: Timestamp) -> f64 {
    at.timestamp_millis() as f64 / 1_000.0
}

/// Everything in Prometheus' text.
pub struct MetricsText {
    pub(crate) registry: Registry,
    pub(crate) source: Arc<Source>,
}

#[async_trait]
impl Metrics for MetricsText {
    async fn text(&self) -> Result<String, MetricsError> {
        if let Some(cache) = self.source.cache() {
            cache.refresh().await;
        }
        let registry = self.registry.clone();
        // Tens of thousands of lines may take a while.
        let gathered =
            tokio::task::spawn_blocking(move || TextEncoder::new().encode_to_string(&registry.gather()))
                .await;
        let failed = |error: &dyn std::error::Error| MetricsError(error.to_string());
        gathered.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, AppId, Clock, DepartureReason, ManualClock, NewRun, OperatorAction, PolicyName, PolicySnapshot,
        RunId, StorageName,
    };
    use holdfast_store::{Departure, Enrolled, MemoryStore, Observation, Store};
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    use super::*;

    fn enrolled(number: usize) -> Enrolled {
        let id = AppId::new("s", "g", &format!("app-{number}"), None);
        let policy = Some(PolicyName::new("gold"));
        Enrolled {
            app: App { policy, ..App::new(id) },
            recovery_point_objective: None,
            retention: None,
            partial_is_good: false,
            schedule: None,
            observation: Observation::default(),
        }
    }

    fn departure(app: &App, now: Timestamp, rng: &mut fastrand::Rng) -> Departure {
        let (reason, snapshot) =
            (DepartureReason::NotFound, PolicySnapshot::new(StorageName::new("none"), ""));
        let action = OperatorAction::LeftFleet { reason, detail: "404".into() };
        let id = RunId::new(now, rng);
        let record = NewRun::operator_action(id, app, &snapshot, action, "holdfast".into(), now);
        Departure { app: app.id.clone(), reason, observed_at: now, record }
    }

    async fn latest(text: &MetricsText) -> usize {
        let text = text.text().await.unwrap();
        text.lines().filter(|line| line.starts_with("holdfast_last_success_timestamp_seconds{")).count()
    }

    #[tokio::test]
    async fn each_of_many_apps_has_its_series_until_it_leaves_the_fleet() {
        let manual = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let clock: Arc<dyn Clock> = Arc::clone(&manual) as _;
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
        let fleet: Vec<_> = (0..2_500).map(enrolled).collect();
        store.sync_fleet(&fleet, &[]).await.unwrap();
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
        let provider = SdkMeterProvider::builder().with_view(more_series).with_reader(reader).build();
        let source = Arc::new(Source::default());
        observe_apps(&provider.meter("test"), &source);
        source.set(Arc::new(AppStatusCache::new(Arc::clone(&store) as _, clock)));
        let text = MetricsText { registry, source };
        assert_eq!(latest(&text).await, 2_500);
        let mut rng = fastrand::Rng::with_seed(1);
        let leaves = |enrolled: &Enrolled| departure(&enrolled.app, manual.now(), &mut rng);
        let departed: Vec<Departure> = fleet[10..].iter().map(leaves).collect();
        store.sync_fleet(&fleet[..10], &departed).await.unwrap();
        manual.advance(std::time::Duration::from_mins(1));
        assert_eq!(latest(&text).await, 10);
    }
}
