//! Spans as they are exported: without the secrets that this process holds.

use opentelemetry::trace::Status;
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::known_secrets::blanked;

/// Blanks known secrets in a span.
pub(crate) fn blank(span: &mut SpanData) {
    if let Some(name) = blanked(&span.name) {
        span.name = name.into();
    }
    blank_all(&mut span.attributes);
    for event in &mut span.events.events {
        if let Some(name) = blanked(&event.name) {
            event.name = name.into();
        }
        blank_all(&mut event.attributes);
    }
    for link in &mut span.links.links {
        blank_all(&mut link.attributes);
    }
    if let Status::Error { description } = &mut span.status
        && let Some(clean) = blanked(description)
    {
        *description = clean.into();
    }
}

fn blank_all(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        blank_value(&mut attribute.value);
    }
}

fn blank_value(value: &mut Value) {
    match value {
        Value::String(text) => blank_text(text),
        Value::Array(Array::String(texts)) => texts.iter_mut().for_each(blank_text),
        _ => {}
    }
}

fn blank_text(text: &mut StringValue) {
    if let Some(clean) = blanked(text.as_str()) {
        *text = clean.into();
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;
    use crate::remember_secret;

    #[test]
    fn an_exported_span_has_no_secret() {
        const SECRET: &str = "3xp0rt3d+sp4ns=";
        remember_secret(&format!("sv=1&sig={SECRET}&se=9").into());
        let attributes = || {
            let texts = Array::String(vec![SECRET.into(), "x".into()]);
            vec![
                KeyValue::new("told", SECRET),
                KeyValue::new("all", Value::Array(texts)),
                KeyValue::new("n", 1),
            ]
        };
        let event = Event::new(format!("said {SECRET}"), SystemTime::UNIX_EPOCH, attributes(), 0);
        let link = Link::new(SpanContext::empty_context(), attributes(), 0);
        let (mut events, mut links) = (SpanEvents::default(), SpanLinks::default());
        events.events.push(event);
        links.links.push(link);
        let mut span = SpanData {
            span_context: SpanContext::empty_context(),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Client,
            name: format!("call {SECRET}").into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: attributes(),
            dropped_attributes_count: 0,
            events,
            links,
            status: Status::error(format!("refused {SECRET}")),
            instrumentation_scope: InstrumentationScope::default(),
        };
        blank(&mut span);
        let told = format!("{span:?}");
        assert!(!told.contains("3xp0rt3d"), "{told}");
        assert_eq!(told.matches("[blanked]").count(), 9, "{told}");
    }
}
