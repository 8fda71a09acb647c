//! The queue, watched: its messages are counted, and carry the trace of their run.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::Clock;
use holdfast_queue::{Delivery, Error, Message, Queue};
use opentelemetry::KeyValue;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::instruments::Instruments;
use crate::loop_health::LoopHealth;
use crate::run_trace;

/// Hands everything on.
#[derive(Debug)]
pub struct WatchedQueue {
    pub inner: Arc<dyn Queue>,
    pub clock: Arc<dyn Clock>,
    pub instruments: Arc<Instruments>,
    pub dispatcher: Arc<LoopHealth>,
    /// `rabbitmq` or `in_process`.
    pub system: &'static str,
    /// Whether messages carry a trace.
    pub traced: bool,
}

#[async_trait]
impl Queue for WatchedQueue {
    async fn publish(&self, messages: &[Message]) -> Result<(), Error> {
        let begun = self.clock.elapsed();
        let published = if self.traced {
            let (_spans, messages) = traced(messages);
            self.inner.publish(&messages).await
        } else {
            self.inner.publish(messages).await
        };
        let took = self.clock.elapsed().saturating_sub(begun);
        self.dispatcher.did(published.is_ok());
        let mut attributes = vec![
            KeyValue::new("messaging.system", self.system),
            KeyValue::new("messaging.operation.name", "send"),
        ];
        if published.is_err() {
            attributes.push(KeyValue::new("error.type", "not_confirmed"));
        }
        let count = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        self.instruments.sent_messages.add(count, &attributes);
        self.instruments.operation_duration.record(took.as_secs_f64(), &attributes);
        published
    }

    async fn receive(&self) -> Result<Delivery, Error> {
        let received = self.inner.receive().await?;
        let attributes = [
            KeyValue::new("messaging.system", self.system),
            KeyValue::new("messaging.operation.name", "receive"),
        ];
        self.instruments.consumed_messages.add(1, &attributes);
        Ok(received)
    }
}

/// A span for each message, and the messages with what makes the other end's spans its children.
fn traced(messages: &[Message]) -> (Vec<tracing::Span>, Vec<Message>) {
    let with_span = |message: &Message| {
        let run = message.wakeup.run_id;
        let span = tracing::info_span!(parent: None, "send", %run);
        // This fails only without a subscriber for spans, and then there is no trace to continue.
        let _ = span.set_parent(run_trace::context(run));
        let trace = run_trace::headers(&span.context());
        (span, message.clone().with_trace(trace))
    };
    messages.iter().map(with_span).unzip()
}
