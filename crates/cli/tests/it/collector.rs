//! What a collector was sent, decoded.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;

/// A collector on a free port.
pub struct Collector(holdfast_tests::collector::Collector);

/// A span, with its ids in hexadecimal and its attributes as text.
#[derive(Debug)]
pub struct Span {
    pub service: String,
    pub name: String,
    pub kind: i32,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    pub async fn start() -> Self {
        Self(holdfast_tests::collector::Collector::start().await)
    }

    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Everything that came, whatever it was, as far as it is text.
    pub fn text(&self) -> String {
        self.0.text()
    }

    pub fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for body in self.0.bodies("/v1/traces") {
            for resource in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
                let about = texts(&resource.resource.unwrap().attributes);
                let found = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.extend(found.map(|span| Span {
                    service: about["service.name"].clone(),
                    name: span.name,
                    kind: span.kind,
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    attributes: texts(&span.attributes),
                }));
            }
        }
        spans
    }

    /// The names of the metrics that came.
    pub fn metrics(&self) -> Vec<String> {
        let decoded = self.0.bodies("/v1/metrics").into_iter().map(ExportMetricsServiceRequest::decode);
        let scopes = decoded.flat_map(|request| request.unwrap().resource_metrics);
        let metrics = scopes.flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics);
        metrics.map(|metric| metric.name).collect()
    }

    /// The bodies of log records, each with its trace's id.
    pub fn logs(&self) -> Vec<(String, String)> {
        let decoded = self.0.bodies("/v1/logs").into_iter().map(ExportLogsServiceRequest::decode);
        let scopes = decoded.flat_map(|request| request.unwrap().resource_logs);
        let records = scopes.flat_map(|resource| resource.scope_logs).flat_map(|scope| scope.log_records);
        records.map(|record| (text(record.body.as_ref()), hex(&record.trace_id))).collect()
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    attributes.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
