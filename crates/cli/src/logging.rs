//! Logs, to stderr alone: stdout belongs to results. What is exported leaves through the same door.

use std::io::IsTerminal as _;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, Targets, filter_fn};
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
    traces: Option<&SdkTracerProvider>,
    logs: Option<&SdkLoggerProvider>,
) {
    let chosen = global.log.map(|level| word(level).to_owned());
    let from_environment = || std::env::var("HOLDFAST_LOG").ok().filter(|text| !text.trim().is_empty());
    let directives = chosen.or_else(from_environment).unwrap_or_else(|| word(default).to_owned());
    // A directive that cannot be read is left out: logging must not keep the program from working.
    let filter = || EnvFilter::builder().parse_lossy(&directives);
    let colored = is_colored(global.color, std::io::stderr().is_terminal());
    let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colored);
    let text: Out = match global.log_format {
        LogFormat::Text => text.boxed(),
        LogFormat::Json => text.json().flatten_event(true).boxed(),
    };
    let mut outs: Vec<Out> = vec![text.with_filter(filter().and(filter_fn(is_for_people))).boxed()];
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

/// Exporters' own reports below a warning are about themselves, and at the finest level show headers.
fn is_for_people(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= tracing::Level::WARN || !metadata.target().starts_with("opentelemetry")
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
