//! The span of a whole run, the parent of its steps. The process that commits the run's end writes it once.

use holdfast_model::{Cause, Outcome, PolicyName, Run, Timestamp, Trigger};
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

use crate::run_trace::RunIds;

/// Writes the span of `run`, which ended `at`.
pub fn write(tracer: &SdkTracer, run: &Run, (outcome, cause): (Outcome, Option<Cause>), at: Timestamp) {
    let attempts = i64::from(run.failure_counts.timed_out)
        + i64::from(run.failure_counts.skipped)
        + i64::from(run.failure_counts.partial)
        + i64::from(run.failure_counts.transient)
        + i64::from(run.failure_counts.lost);
    let mut attributes = vec![
        KeyValue::new("holdfast.run.id", run.id.to_string()),
        KeyValue::new("holdfast.run.kind", kind(run)),
        KeyValue::new("holdfast.run.trigger", trigger(run)),
        KeyValue::new("holdfast.app", run.app.short_name()),
        KeyValue::new("azure.resource.id", run.app.to_string()),
        KeyValue::new("holdfast.outcome", outcome.as_str()),
        KeyValue::new("holdfast.attempts.failed", attempts),
    ];
    let policy = run.policy.as_ref().map(PolicyName::as_str);
    attributes.extend(policy.map(|policy| KeyValue::new("holdfast.policy", policy.to_owned())));
    attributes.extend(cause.map(|cause| KeyValue::new("holdfast.cause", cause.as_str())));
    let builder = SpanBuilder::from_name(format!("{} run", kind(run)))
        .with_kind(SpanKind::Internal)
        .with_start_time(run.created_at)
        .with_attributes(attributes);
    let mut span = RunIds::as_root_of(run.id, || tracer.build_with_context(builder, &Context::new()));
    if matches!(outcome, Outcome::Failed | Outcome::Exhausted) {
        let why = cause.map_or(outcome.as_str(), Cause::as_str);
        span.set_status(Status::error(why));
    }
    span.end_with_timestamp(at.into());
}

/// The name of a run's kind.
pub fn kind(run: &Run) -> &'static str {
    run.task.kind().as_str()
}

fn trigger(run: &Run) -> &'static str {
    match run.trigger {
        Trigger::Schedule => "schedule",
        Trigger::CatchUp => "catch_up",
        Trigger::Manual => "manual",
        Trigger::Policy => "policy",
    }
}

/// Never less than none: clocks of machines differ.
pub(crate) fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).to_std().unwrap_or_default().as_secs_f64()
}
