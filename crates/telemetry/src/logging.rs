//! Logs: to stderr, because stdout belongs to results, and to the exporters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_model::Clock;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, Targets, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::blanking_writer::BlankingStderr;
use crate::inert_fields::InertFields;
use crate::log_filter::may_log;
use crate::text_events::TextEvents;

type Out = Box<dyn Layer<Registry> + Send + Sync>;

/// How the program logs.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// Filter directives, such as `info,holdfast_worker=debug`.
    pub directives: String,
    /// One JSON object a line in place of text.
    pub json: bool,
    /// Whether text has colours.
    pub colored: bool,
}

/// Starts logging to stderr, and to `traces` and `logs` where they are given.
///
/// A directive that cannot be read is left out: logging must not keep the program from working.
pub fn start(
    options: &LogOptions,
    clock: Arc<dyn Clock>,
    traces: Option<&SdkTracerProvider>,
    logs: Option<&SdkLoggerProvider>,
) {
    let filter = || EnvFilter::builder().parse_lossy(&options.directives).and(filter_fn(may_log));
    let text = tracing_subscriber::fmt::layer().with_writer(BlankingStderr).with_ansi(options.colored);
    let text: Out = if options.json {
        text.json().flatten_event(true).boxed()
    } else {
        text.fmt_fields(InertFields).event_format(TextEvents).boxed()
    };
    let reports = Reports::new(clock);
    // Its own level hint lets the filter before it still skip disabled callsites.
    let for_people = dynamic_filter_fn(move |metadata, _| reports.shows(metadata))
        .with_callsite_filter(
            |metadata| if is_report(metadata) { Interest::sometimes() } else { Interest::always() },
        )
        .with_max_level_hint(LevelFilter::TRACE);
    let mut outs: Vec<Out> = vec![text.with_filter(filter().and(for_people)).boxed()];
    if let Some(traces) = traces {
        let spans = tracing_opentelemetry::layer()
            .with_tracer(traces.tracer("holdfast"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        outs.push(spans.with_filter(own()).boxed());
    }
    if let Some(logs) = logs {
        let exported = OpenTelemetryTracingBridge::new(logs);
        outs.push(exported.with_filter(filter().and(own())).boxed());
    }
    // Another subscriber exists only in tests, and then theirs counts.
    let _ = tracing_subscriber::registry().with(outs).try_init();
}

/// Limits the exporters' reports on themselves to one error a minute.
///
/// They log an error for each lost batch, and a collector that is down must not bury the program's own log.
struct Reports {
    clock: Arc<dyn Clock>,
    /// By the clock's `elapsed`, in milliseconds.
    next: AtomicU64,
}

/// Shortest time between two reports.
const REPORT_EVERY_MS: u64 = 60_000;

impl Reports {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, next: AtomicU64::new(0) }
    }

    fn shows(&self, metadata: &Metadata<'_>) -> bool {
        if !is_report(metadata) {
            return true;
        }
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = |next| (now >= next).then(|| now.saturating_add(REPORT_EVERY_MS));
        *metadata.level() == tracing::Level::ERROR
            && self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_ok()
    }
}

fn is_report(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("opentelemetry")
}

/// Limits the export to our own crates: exporting the exporters' logs would never end.
fn own() -> Targets {
    Targets::new().with_target("holdfast", LevelFilter::INFO)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_model::{ManualClock, Timestamp};
    use tracing::Level as At;
    use tracing::callsite::{Callsite, Identifier};
    use tracing::field::FieldSet;
    use tracing::metadata::Kind;

    use super::*;

    struct Nowhere;

    impl Callsite for Nowhere {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("no subscriber reads the metadata")
        }
    }

    fn said(target: &'static str, level: At) -> Metadata<'static> {
        let fields = FieldSet::new(&[], Identifier(&Nowhere));
        Metadata::new("event", target, level, None, None, None, fields, Kind::EVENT)
    }

    #[test]
    fn exporters_report_errors_once_a_minute_and_everything_else_is_shown() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let reports = Reports::new(Arc::clone(&clock) as _);
        let (error, warning) = (said("opentelemetry_sdk", At::ERROR), said("opentelemetry-otlp", At::WARN));
        assert!(!reports.shows(&warning) && reports.shows(&error) && !reports.shows(&error));
        assert!(reports.shows(&said("holdfast_worker", At::TRACE)));
        clock.advance(Duration::from_mins(1));
        assert!(reports.shows(&error) && !reports.shows(&error));
    }
}
