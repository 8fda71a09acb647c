//! Observing steps, for metrics and traces.

use std::time::Duration;

use holdfast_queue::Message;

use crate::bulkheads::Compartment;
use crate::step_result::StepResult;

/// Observes every step of a worker. The worker calls it while it holds a message, so it must neither block nor panic.
pub trait StepObserver: Send + Sync {
    /// The step for `message` begins. No task has entered `span` yet, so it can still be given a parent.
    fn begins(&self, message: &Message, span: &tracing::Span);

    /// The step has ended after `took`. Its message is not yet acknowledged.
    fn ended(&self, result: StepResult, took: Duration);

    /// The breaker of a part of Azure opened, because it does not answer, or closed.
    fn breaker_changed(&self, _compartment: &Compartment, _is_open: bool) {}
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoopStepObserver;

impl StepObserver for NoopStepObserver {
    fn begins(&self, _: &Message, _: &tracing::Span) {}

    fn ended(&self, _: StepResult, _: Duration) {}
}
