//! Steps, watched: each is measured and carries on the trace that its message brings.

use std::sync::Arc;
use std::time::Duration;

use holdfast_queue::Message;
use holdfast_worker::{Compartment, StepObserver, StepResult};
use opentelemetry::KeyValue;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::instruments::Instruments;
use crate::run_trace;

/// Watches a worker.
pub struct WatchedSteps {
    pub instruments: Arc<Instruments>,
    /// `rabbitmq` or `in_process`.
    pub system: &'static str,
    /// Whether spans go anywhere.
    pub traced: bool,
}

impl StepObserver for WatchedSteps {
    fn begins(&self, message: &Message, span: &tracing::Span) {
        if self.traced {
            // This fails only without a subscriber for spans.
            let _ = span.set_parent(run_trace::context_from(&message.trace, message.wakeup.run_id));
        }
    }

    fn ended(&self, result: StepResult, took: Duration) {
        self.instruments.steps.add(1, &[KeyValue::new("result", result.as_str())]);
        let mut attributes = vec![
            KeyValue::new("messaging.system", self.system),
            KeyValue::new("messaging.operation.name", "process"),
        ];
        if matches!(result, StepResult::Failed | StepResult::Panicked) {
            attributes.push(KeyValue::new("error.type", result.as_str()));
        }
        self.instruments.process_duration.record(took.as_secs_f64(), &attributes);
    }

    fn breaker_changed(&self, compartment: &Compartment, is_open: bool) {
        let of =
            [KeyValue::new("kind", compartment.kind()), KeyValue::new("name", compartment.name().to_owned())];
        self.instruments.breaker_open.record(u64::from(is_open), &of);
    }
}
