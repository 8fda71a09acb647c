//! The exporters, and the providers that feed them.

use opentelemetry::KeyValue;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Config, SdkTracerProvider};
use prometheus::Registry;

use crate::app_metrics::more_series;
use crate::blanked_logs::BlankedLogs;
use crate::exports::Exports;
use crate::run_trace::{ByRun, RunIds};
use crate::semantic::Renamed;

/// What there is of them.
#[derive(Debug)]
pub struct Providers {
    pub traces: Option<SdkTracerProvider>,
    /// Always there, because `/metrics` may be asked.
    pub metrics: SdkMeterProvider,
    pub logs: Option<SdkLoggerProvider>,
    pub registry: Registry,
    /// What could not be set up, for the log: telemetry must not keep the program from working.
    pub failed: Vec<String>,
}

impl Providers {
    /// Exporters have their own threads and HTTP client, which must not be created in async code.
    pub fn new(exports: &Exports, resource: &Resource, messaging_system: &'static str) -> Self {
        let mut failed = exports.refused.clone();
        let mut note = |what: &str, error: &dyn std::error::Error| {
            failed.push(format!("{what} cannot be exported: {error}"));
        };
        let traces = exports.traces.then(|| SpanExporter::builder().with_http().build());
        let traces = traces.and_then(|made| made.map_err(|error| note("traces", &error)).ok());
        let traces = traces.map(|exporter| {
            SdkTracerProvider::builder()
                .with_sampler(ByRun(Config::default().sampler))
                .with_id_generator(RunIds::default())
                .with_resource(resource.clone())
                .with_batch_exporter(Renamed::new(exporter, messaging_system))
                .build()
        });
        let logs = exports.logs.then(|| LogExporter::builder().with_http().build());
        let logs = logs.and_then(|made| made.map_err(|error| note("logs", &error)).ok());
        let logs = logs.map(|exporter| {
            SdkLoggerProvider::builder()
                .with_resource(resource.clone())
                .with_log_processor(BlankedLogs::new())
                .with_batch_exporter(exporter)
                .build()
        });
        let registry = Registry::new();
        let mut metrics = SdkMeterProvider::builder().with_resource(resource.clone()).with_view(more_series);
        let text = opentelemetry_prometheus::exporter().with_registry(registry.clone());
        match text.scope_info_enabled(false).build() {
            Ok(reader) => metrics = metrics.with_reader(reader),
            Err(error) => note("metrics as text", &error),
        }
        if exports.metrics {
            match MetricExporter::builder().with_http().build() {
                Ok(exporter) => metrics = metrics.with_periodic_exporter(exporter),
                Err(error) => note("metrics", &error),
            }
        }
        Self { traces, metrics: metrics.build(), logs, registry, failed }
    }

    /// Sends what is left. Blocks, and must not be called within async code.
    pub fn shut_down(&self) {
        let ended = [
            self.traces.as_ref().map(SdkTracerProvider::shutdown),
            self.logs.as_ref().map(SdkLoggerProvider::shutdown),
            Some(self.metrics.shutdown()),
        ];
        for error in ended.into_iter().flatten().filter_map(Result::err) {
            tracing::debug!(error = &error as &dyn std::error::Error, "the last telemetry may be lost");
        }
    }
}

/// Who speaks: what `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say, else the role.
pub fn resource(
    service: &'static str,
    instance: String,
    variable: impl Fn(&str) -> Option<String>,
) -> Resource {
    let told = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let names = |key: &str| told.split(',').any(|pair| pair.trim_start().starts_with(&format!("{key}=")));
    let mut own = vec![KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    if variable("OTEL_SERVICE_NAME").is_none_or(|name| name.is_empty()) && !names("service.name") {
        own.push(KeyValue::new("service.name", service));
    }
    if !names("service.instance.id") {
        own.push(KeyValue::new("service.instance.id", instance));
    }
    own.retain(|pair| !names("service.version") || pair.key.as_str() != "service.version");
    Resource::builder().with_attributes(own).build()
}
