//! Logs, to stderr alone: stdout belongs to results. What is exported leaves through the same door.

use std::io::IsTerminal as _;
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
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, Targets, dynamic_filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::args::{Color, Global, Level, LogFormat};

type Out = Box<dyn Layer<Registry> + Send + Sync>;

/// Begins logging. `HOLDFAST_LOG` (such as `info,holdfast_worker=debug`) wins over `default`, and `--log` over both.
/// Spans go to `traces`, and what is logged to `logs` too, where there are such.
pub fn begin(
    global: &Global,
    default: Level,
    clock: Arc<dyn Clock>,
    traces: Option<&SdkTracerProvider>,
    logs: Option<&SdkLoggerProvider>,
) {
    let chosen = global.log.map(|level| word(level).to_owned());
    let from_environment = || std::env::var("HOLDFAST_LOG").ok().filter(|text| !text.trim().is_empty());
    let directives = chosen.or_else(from_environment).unwrap_or_else(|| word(default).to_owned());
    // The AMQP client's own lines repeat what the queue says better, and its frames hold the login.
    let directives = format!("{directives},lapin=off");
    // A directive that cannot be read is left out: logging must not keep the program from working.
    let filter = || EnvFilter::builder().parse_lossy(&directives);
    let colored = is_colored(global.color, std::io::stderr().is_terminal());
    let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colored);
    let text: Out = match global.log_format {
        LogFormat::Text => text.boxed(),
        LogFormat::Json => text.json().flatten_event(true).boxed(),
    };
    let reports = Reports::new(clock);
    // With a hint of its own, so that the filter before it still spares what no one wants.
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
    // Another subscriber is in place only in tests, and then theirs is the one that counts.
    let _ = tracing_subscriber::registry().with(outs).try_init();
}

/// Exporters' reports on themselves: each batch that is lost is worth an error to them. Errors alone are shown, and one a
/// minute: a collector that is down must not bury what is said of the work.
struct Reports {
    clock: Arc<dyn Clock>,
    /// By the clock's `elapsed`, in milliseconds.
    next: AtomicU64,
}

/// How far reports are apart.
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

/// What our own crates say. Were libraries' words exported too, exporting would beget what is exported.
fn own() -> Targets {
    Targets::new().with_target("holdfast", LevelFilter::INFO)
}

/// Whether a stream gets colours.
pub fn is_colored(color: Color, is_terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
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
            unreachable!("nobody asks")
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
