//! Names at the door: spans leave with the names of OpenTelemetry's semantic conventions, while the crates that make
//! them use the glossary's words.

use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::blanked_spans::blank;

/// The span of a message's way into the queue.
pub const SEND: &str = "send";
/// The span of a step.
pub const STEP: &str = "step";
/// The span of a call to Azure.
pub const ARM: &str = "arm";

/// Renames spans, blanks the secrets in them, and hands them on.
#[derive(Debug)]
pub struct Renamed<E> {
    inner: E,
    /// `rabbitmq`, or `in_process` where there is no broker.
    messaging_system: &'static str,
}

impl<E> Renamed<E> {
    pub fn new(inner: E, messaging_system: &'static str) -> Self {
        Self { inner, messaging_system }
    }
}

impl<E: SpanExporter> SpanExporter for Renamed<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &mut batch {
            rename(span, self.messaging_system);
            blank(span);
        }
        self.inner.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

fn rename(span: &mut SpanData, messaging_system: &'static str) {
    for attribute in &mut span.attributes {
        if let Some(name) = name_of(&span.name, attribute.key.as_str()) {
            attribute.key = Key::from_static_str(name);
        }
    }
    match &*span.name {
        SEND => message(span, messaging_system, (SpanKind::Producer, "send")),
        STEP => message(span, messaging_system, (SpanKind::Consumer, "process")),
        ARM => call(span),
        _ => {}
    }
}

/// The name that an attribute of a span leaves with; `None` where it keeps its own.
fn name_of(span: &str, attribute: &str) -> Option<&'static str> {
    Some(match (span, attribute) {
        (_, "run") => "holdfast.run.id",
        (_, "app") => "holdfast.app",
        (_, "attempt") => "holdfast.attempt",
        (ARM, "method") => "http.request.method",
        (ARM, "status") => "http.response.status_code",
        (ARM, "operation") => "holdfast.operation",
        (ARM, "backup") => "holdfast.backup.id",
        (ARM, "subscription") => "azure.subscription.id",
        (ARM, "client_request_id") => "azure.client.request.id",
        (ARM, "request_id") => "azure.service.request.id",
        (ARM, "correlation_id") => "azure.correlation.id",
        _ => return None,
    })
}

fn message(span: &mut SpanData, system: &'static str, (kind, operation): (SpanKind, &'static str)) {
    span.span_kind = kind;
    span.name = format!("{operation} step").into();
    span.attributes.push(KeyValue::new("messaging.system", system));
    span.attributes.push(KeyValue::new("messaging.operation.name", operation));
    span.attributes.push(KeyValue::new("messaging.operation.type", operation));
}

fn call(span: &mut SpanData) {
    let of = |name: &str| span.attributes.iter().find(|found| found.key.as_str() == name);
    let operation = of("holdfast.operation").map_or_else(String::new, |found| found.value.to_string());
    let failure = match of("http.response.status_code").map(|found| &found.value) {
        Some(Value::I64(status)) if *status < 400 => None,
        Some(status) => Some(status.to_string()),
        None => Some("no_answer".to_owned()),
    };
    span.span_kind = SpanKind::Client;
    span.name = format!("{ARM} {operation}").into();
    if let Some(kind) = failure {
        span.status = Status::error(kind.clone());
        span.attributes.push(KeyValue::new("error.type", kind));
    }
}
