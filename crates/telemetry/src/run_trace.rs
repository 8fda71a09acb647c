//! One trace for each run, over all its steps and all processes, with nothing kept for it.
//!
//! The trace id is the run's id, and the id of the trace's first span is a part of it: a run's id determines both.

use std::cell::Cell;
use std::collections::BTreeMap;

use holdfast_model::RunId;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SamplingResult, ShouldSample};

/// The run's trace.
pub fn trace_id(run: RunId) -> TraceId {
    TraceId::from_bytes(*run.as_uuid().as_bytes())
}

/// The span that stands for the whole run. It is written when the run ends, and is the parent of its steps before that.
///
/// The last eight bytes of a version 7 UUID hold its variant and 62 random bits, so it is never zero.
pub fn root_span_id(run: RunId) -> SpanId {
    root_of(trace_id(run))
}

fn root_of(trace: TraceId) -> SpanId {
    let mut tail = [0; 8];
    tail.copy_from_slice(&trace.to_bytes()[8..]);
    SpanId::from_bytes(tail)
}

/// The context in which everything about the run happens.
pub fn context(run: RunId) -> Context {
    let span =
        SpanContext::new(trace_id(run), root_span_id(run), TraceFlags::SAMPLED, true, TraceState::default());
    Context::new().with_remote_span_context(span)
}

/// The context as W3C headers (`traceparent`, `tracestate`).
pub fn headers(context: &Context) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    TraceContextPropagator::new().inject_context(context, &mut Carrier(&mut headers));
    headers.retain(|_, value: &mut String| !value.is_empty());
    headers
}

/// The context that a message's headers tell, if it is one of the run's trace; else the run's own. A message is data
/// from outside: it may join no other trace.
pub fn context_from(headers: &BTreeMap<String, String>, run: RunId) -> Context {
    let told = TraceContextPropagator::new().extract_with_context(&Context::new(), &Told(headers));
    if told.span().span_context().trace_id() == trace_id(run) { told } else { context(run) }
}

struct Carrier<'a>(&'a mut BTreeMap<String, String>);

impl opentelemetry::propagation::Injector for Carrier<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }
}

struct Told<'a>(&'a BTreeMap<String, String>);

impl opentelemetry::propagation::Extractor for Told<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

thread_local! {
    static ROOT_OF: Cell<Option<RunId>> = const { Cell::new(None) };
}

/// Random ids, except for a run's first span while it is created.
#[derive(Debug, Clone, Default)]
pub struct RunIds(RandomIdGenerator);

impl RunIds {
    /// Makes a span without a parent within `make`, and it gets the ids of the run's first span.
    pub fn as_root_of<T>(run: RunId, make: impl FnOnce() -> T) -> T {
        ROOT_OF.set(Some(run));
        let span = make();
        ROOT_OF.set(None);
        span
    }
}

impl IdGenerator for RunIds {
    fn new_trace_id(&self) -> TraceId {
        ROOT_OF.get().map_or_else(|| self.0.new_trace_id(), trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        ROOT_OF.get().map_or_else(|| self.0.new_span_id(), root_span_id)
    }
}

/// Asks the sampler as if a run's steps had no parent: their parent is not written before the run ends, so its decision is
/// not known yet. Samplers that go by the trace id decide the same in every process.
#[derive(Debug, Clone)]
pub struct ByRun(pub Box<dyn ShouldSample>);

impl ShouldSample for ByRun {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let known = parent.filter(|cx| {
            let span = cx.span().span_context().clone();
            span.is_valid() && span.span_id() != root_of(span.trace_id())
        });
        self.0.should_sample(known, trace_id, name, kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::Timestamp;
    use opentelemetry_sdk::trace::{Sampler, SamplingDecision};

    use super::*;

    fn run(seed: u64) -> RunId {
        RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(seed))
    }

    #[test]
    fn the_trace_id_is_the_runs_id_without_dashes() {
        let run = run(1);
        assert_eq!(trace_id(run).to_string(), run.to_string().replace('-', ""));
        assert!(context(run).span().span_context().is_valid());
    }

    #[test]
    fn a_context_survives_a_message_round_trip() {
        let run = run(1);
        let sent = SpanContext::new(
            trace_id(run),
            SpanId::from_bytes([7; 8]),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        );
        let headers = headers(&Context::new().with_remote_span_context(sent));
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["traceparent"]);
        let back = context_from(&headers, run);
        assert_eq!(back.span().span_context().span_id(), SpanId::from_bytes([7; 8]));
    }

    #[test]
    fn headers_that_are_missing_broken_or_of_another_trace_give_the_runs_own_context() {
        let own = root_span_id(run(1));
        let other = headers(&context(run(2)));
        let broken = BTreeMap::from([("traceparent".to_owned(), "00-zz".to_owned())]);
        for headers in [BTreeMap::new(), broken, other] {
            assert_eq!(context_from(&headers, run(1)).span().span_context().span_id(), own);
        }
    }

    #[test]
    fn a_runs_first_span_gets_the_runs_ids_and_all_others_random_ones() {
        let ids = RunIds::default();
        let made = RunIds::as_root_of(run(1), || (ids.new_trace_id(), ids.new_span_id()));
        assert_eq!(made, (trace_id(run(1)), root_span_id(run(1))));
        assert_ne!(ids.new_trace_id(), trace_id(run(1)));
    }

    /// What a sampler that keeps `ratio` of all traces decides below `parent`.
    fn decision(ratio: f64, parent: &Context) -> SamplingDecision {
        let ratio = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
        let trace_id = parent.span().span_context().trace_id();
        let sampler = ByRun(Box::new(ratio));
        sampler.should_sample(Some(parent), trace_id, "step", &SpanKind::Internal, &[], &[]).decision
    }

    #[test]
    fn a_runs_own_context_decides_nothing_and_a_span_that_was_written_does() {
        assert_eq!(decision(0.0, &context(run(1))), SamplingDecision::Drop);
        assert_eq!(decision(1.0, &context(run(1))), SamplingDecision::RecordAndSample);
        for (flags, expected) in [
            (TraceFlags::SAMPLED, SamplingDecision::RecordAndSample),
            (TraceFlags::default(), SamplingDecision::Drop),
        ] {
            let sent = SpanId::from_bytes([7; 8]);
            let parent = SpanContext::new(trace_id(run(1)), sent, flags, true, TraceState::default());
            let parent = Context::new().with_remote_span_context(parent);
            assert_eq!(decision(0.5, &parent), expected);
        }
    }
}
