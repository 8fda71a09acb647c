//! The calls to Azure, measured.

use std::sync::Arc;

use holdfast_arm::{CallFacts, CallObserver};
use opentelemetry::KeyValue;

use crate::instruments::Instruments;

/// Measures each call.
pub struct MeasuredCalls(pub Arc<Instruments>);

impl CallObserver for MeasuredCalls {
    fn answered(&self, call: &CallFacts<'_>) {
        let operation = call.operation.as_str();
        let mut attributes = vec![
            KeyValue::new("http.request.method", call.method.to_owned()),
            KeyValue::new("holdfast.operation", operation),
        ];
        match call.status {
            Some(status) => {
                attributes.push(KeyValue::new("http.response.status_code", i64::from(status)));
                if status >= 400 {
                    attributes.push(KeyValue::new("error.type", status.to_string()));
                }
            }
            None => attributes.push(KeyValue::new("error.type", "no_answer")),
        }
        self.0.request_duration.record(call.elapsed.as_secs_f64(), &attributes);
        if call.status == Some(429) {
            self.0.throttled.add(1, &[KeyValue::new("operation", operation)]);
        }
        let told = &call.remaining;
        for (remaining, which) in [
            (told.reads, "read"),
            (told.writes, "write"),
            (told.deletes, "delete"),
            (told.resource_requests, "resource_request"),
        ] {
            if let Some(remaining) = remaining {
                let subscription = call.subscription.as_str().to_owned();
                let of = [KeyValue::new("azure.subscription.id", subscription), KeyValue::new("call", which)];
                self.0.budget_remaining.record(u64::from(remaining), &of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_arm::{Operation, Remaining};
    use holdfast_model::SubscriptionId;
    use opentelemetry::metrics::MeterProvider;
    use opentelemetry_sdk::metrics::SdkMeterProvider;
    use prometheus::{Registry, TextEncoder};

    use super::*;

    #[test]
    fn a_call_is_labelled_with_its_http_method() {
        let registry = Registry::new();
        let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        let calls = MeasuredCalls(Arc::new(Instruments::new(&provider.meter("test"))));
        for (operation, method) in [(Operation::PutSchedule, "PUT"), (Operation::ListSiteBackups, "GET")] {
            let subscription = &SubscriptionId::new("s");
            let (remaining, elapsed) = (Remaining::default(), Duration::ZERO);
            let status = Some(200);
            calls.answered(&CallFacts {
                operation,
                method,
                subscription,
                app: None,
                status,
                remaining,
                elapsed,
            });
        }
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let counts = text.lines().filter(|line| line.contains("request_duration_seconds_count"));
        let told: Vec<bool> = counts
            .map(|line| line.contains("PUT") == line.contains("put_schedule") && !line.contains("POST"))
            .collect();
        assert_eq!(told, [true, true], "{text}");
    }
}
