//! The calls to Azure, measured.

use std::sync::Arc;

use holdfast_arm::{CallFacts, Observer};
use holdfast_model::Call;
use opentelemetry::KeyValue;

use super::instruments::Instruments;

/// Measures each call.
pub struct MeasuredCalls(pub Arc<Instruments>);

impl Observer for MeasuredCalls {
    fn answered(&self, call: &CallFacts<'_>) {
        let operation = call.operation.as_str();
        let mut attributes = vec![
            KeyValue::new("http.request.method", method(call.operation.call())),
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

fn method(call: Call) -> &'static str {
    match call {
        Call::Read => "GET",
        Call::Write => "POST",
        Call::Delete => "DELETE",
    }
}
