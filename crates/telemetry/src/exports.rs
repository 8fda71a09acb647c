//! What is exported where: the standard `OTEL_*` variables.

/// The kinds of telemetry, each of which may go elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    fn word(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }
}

/// Which signals are exported over OTLP. Where to, with which headers and within what time, the exporter reads itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    pub traces: bool,
    pub metrics: bool,
    pub logs: bool,
    /// What was asked for and cannot be had, for the log.
    pub refused: Vec<String>,
}

impl Exports {
    /// What the variables ask for: nothing, unless an endpoint is set.
    pub fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
            return Self::default();
        }
        let mut refused = Vec::new();
        let mut wanted = |signal: Signal| {
            let word = signal.word();
            let own = |rest: &str| set(&format!("OTEL_EXPORTER_OTLP_{word}_{rest}"));
            let endpoint = own("ENDPOINT").or_else(|| set("OTEL_EXPORTER_OTLP_ENDPOINT"));
            let chosen = format!("OTEL_{word}_EXPORTER");
            let exporter = set(&chosen).unwrap_or_else(|| "otlp".to_owned());
            if endpoint.is_none() || exporter.trim() == "none" {
                return false;
            }
            if exporter.trim() != "otlp" {
                refused.push(format!("{chosen} asks for `{}`, and only otlp is spoken", exporter.trim()));
                return false;
            }
            let protocol = own("PROTOCOL").or_else(|| set("OTEL_EXPORTER_OTLP_PROTOCOL"));
            match protocol.as_deref().map(str::trim) {
                None | Some("http/protobuf") => true,
                Some(other) => {
                    let what = format!(
                        "{} cannot be exported: OTLP is spoken as http/protobuf and not as `{other}`",
                        word.to_lowercase()
                    );
                    refused.push(what);
                    false
                }
            }
        };
        let [traces, metrics, logs] = [Signal::Traces, Signal::Metrics, Signal::Logs].map(&mut wanted);
        Self { traces, metrics, logs, refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exports(variables: &[(&str, &str)]) -> Exports {
        Exports::from(|name| {
            variables.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_exported_unless_an_endpoint_is_set() {
        assert_eq!(exports(&[]), Exports::default());
        assert_eq!(exports(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]), Exports::default());
        assert_eq!(exports(&[("OTEL_SERVICE_NAME", "x")]), Exports::default());
    }

    #[test]
    fn one_endpoint_serves_all_signals_and_an_own_one_serves_one() {
        let all = exports(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")]);
        assert_eq!((all.traces, all.metrics, all.logs), (true, true, true));
        let one = exports(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://c:4318/v1/metrics")]);
        assert_eq!((one.traces, one.metrics, one.logs), (false, true, false));
    }

    #[test]
    fn signals_and_the_whole_sdk_can_be_switched_off() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        let some = exports(&[endpoint, ("OTEL_LOGS_EXPORTER", "none")]);
        assert_eq!((some.traces, some.logs), (true, false));
        assert_eq!(exports(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]), Exports::default());
    }

    #[test]
    fn another_protocol_or_exporter_is_refused_with_a_reason() {
        let grpc = exports(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ]);
        assert!(!grpc.traces && grpc.refused.len() == 3 && grpc.refused[0].contains("`grpc`"), "{grpc:?}");
        let zipkin =
            exports(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), ("OTEL_TRACES_EXPORTER", "zipkin")]);
        assert!(!zipkin.traces && zipkin.metrics && zipkin.refused[0].contains("`zipkin`"), "{zipkin:?}");
    }
}
