//! Log records as they are exported: without the secrets that this process holds.

use std::time::Duration;

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider};
use opentelemetry::{InstrumentationScope, Key};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider};

use crate::known_secrets::blanked;

/// Blanks known secrets in log records, before the next processor sees them.
#[derive(Debug)]
pub(crate) struct BlankedLogs {
    /// Makes empty records. The attributes of a record can be added and read, but not replaced.
    empty: SdkLogger,
}

impl BlankedLogs {
    pub fn new() -> Self {
        Self { empty: SdkLoggerProvider::builder().build().logger("") }
    }
}

impl LogProcessor for BlankedLogs {
    fn emit(&self, record: &mut SdkLogRecord, _scope: &InstrumentationScope) {
        let body = record.body().and_then(without_secrets);
        let attributes: Vec<_> =
            record.attributes_iter().map(|(key, value)| (key.clone(), without_secrets(value))).collect();
        if body.is_none() && attributes.iter().all(|(_, value)| value.is_none()) {
            return;
        }
        let mut clean = self.empty.create_log_record();
        copy_frame(record, &mut clean);
        if let Some(body) = body.or_else(|| record.body().cloned()) {
            clean.set_body(body);
        }
        for ((key, blanked), (_, value)) in attributes.into_iter().zip(record.attributes_iter()) {
            clean.add_attribute(key, blanked.unwrap_or_else(|| value.clone()));
        }
        *record = clean;
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Copies all but the body and the attributes.
fn copy_frame(from: &SdkLogRecord, to: &mut SdkLogRecord) {
    if let Some(name) = from.event_name() {
        to.set_event_name(name);
    }
    if let Some(target) = from.target() {
        to.set_target(target.clone());
    }
    if let Some(at) = from.timestamp() {
        to.set_timestamp(at);
    }
    if let Some(at) = from.observed_timestamp() {
        to.set_observed_timestamp(at);
    }
    if let Some(text) = from.severity_text() {
        to.set_severity_text(text);
    }
    if let Some(number) = from.severity_number() {
        to.set_severity_number(number);
    }
    if let Some(context) = from.trace_context() {
        to.set_trace_context(context.trace_id, context.span_id, context.trace_flags);
    }
}

/// The value with blanked secrets; `None` where it has none.
fn without_secrets(value: &AnyValue) -> Option<AnyValue> {
    match value {
        AnyValue::String(text) => blanked(text.as_str()).map(AnyValue::from),
        AnyValue::Bytes(bytes) => {
            let clean = blanked(&String::from_utf8_lossy(bytes))?;
            Some(AnyValue::Bytes(Box::new(clean.into_bytes())))
        }
        AnyValue::ListAny(list) => {
            let clean: Vec<_> = list.iter().map(without_secrets).collect();
            clean.iter().any(Option::is_some).then(|| {
                let values = clean.into_iter().zip(list.iter());
                let values = values.map(|(clean, value)| clean.unwrap_or_else(|| value.clone()));
                AnyValue::ListAny(Box::new(values.collect()))
            })
        }
        AnyValue::Map(map) => {
            let clean: Vec<(Key, AnyValue)> =
                map.iter().filter_map(|(key, value)| Some((key.clone(), without_secrets(value)?))).collect();
            (!clean.is_empty()).then(|| {
                let mut map = map.clone();
                map.extend(clean);
                AnyValue::Map(map)
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::logs::Severity;
    use opentelemetry::trace::{SpanId, TraceId};

    use super::*;
    use crate::remember_secret;

    #[test]
    fn an_exported_log_record_has_no_secret_and_keeps_all_else() {
        remember_secret(&"sv=1&sig=3xp0rt3d%2Bl0gs%3D&se=9".into());
        let logs = BlankedLogs::new();
        let mut record = logs.empty.create_log_record();
        record.set_event_name("refused");
        record.set_target("holdfast");
        record.set_severity_number(Severity::Warn);
        record.set_severity_text("WARN");
        record.set_trace_context(TraceId::from_bytes([7; 16]), SpanId::from_bytes([9; 8]), None);
        record.set_body("azure said 3xp0rt3d+l0gs=".into());
        let list = AnyValue::ListAny(Box::new(vec!["x".into(), "3xp0rt3d%2Bl0gs%3D".into()]));
        let map = [(Key::new("a"), AnyValue::from("3xp0rt3d+l0gs=")), (Key::new("b"), 1.into())];
        record.add_attribute("app", "shop");
        record.add_attribute("status", 403);
        record.add_attribute("list", list);
        record.add_attribute("map", AnyValue::Map(Box::new(map.into_iter().collect())));
        record.add_attribute("bytes", AnyValue::Bytes(Box::new(b"3xp0rt3d+l0gs=".to_vec())));
        logs.emit(&mut record, &InstrumentationScope::default());

        let told = format!("{record:?}");
        assert!(!told.contains("3xp0rt3d"), "{told}");
        assert_eq!(record.body(), Some(&"azure said [blanked]".into()));
        assert_eq!((record.event_name(), record.severity_text()), (Some("refused"), Some("WARN")));
        assert_eq!(record.target().map(AsRef::as_ref), Some("holdfast"));
        assert_eq!(record.severity_number(), Some(Severity::Warn));
        assert_eq!(record.trace_context().unwrap().trace_id, TraceId::from_bytes([7; 16]));
        let of =
            |name: &str| record.attributes_iter().find(|(key, _)| key.as_str() == name).unwrap().1.clone();
        assert_eq!((of("app"), of("status")), ("shop".into(), 403.into()));
        assert_eq!(of("list"), AnyValue::ListAny(Box::new(vec!["x".into(), "[blanked]".into()])));
        assert_eq!(of("bytes"), AnyValue::Bytes(Box::new(b"[blanked]".to_vec())));
        let AnyValue::Map(map) = of("map") else { panic!("a map stays a map") };
        assert_eq!((&map[&Key::new("a")], &map[&Key::new("b")]), (&"[blanked]".into(), &1.into()));
    }
}
