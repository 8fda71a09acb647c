//! What is never logged, whatever the filter directives say.

use tracing::{Level, Metadata};

/// The crates of the broker's client. Their frames hold the login, and their other lines repeat what the queue says.
const SILENT: [&str; 4] = ["lapin", "amq_protocol", "async_rs", "pinky_swear"];

/// Whether a line may be logged at all.
///
/// Below level info, only our own crates log: the lines of HTTP, TLS and database clients repeat headers, frames and
/// statements, with the secrets in them.
pub(crate) fn may_log(metadata: &Metadata<'_>) -> bool {
    let krate = metadata.target().split("::").next().unwrap_or_default();
    let is_silent = SILENT.iter().any(|name| krate.starts_with(name));
    let is_ours = krate.starts_with("holdfast");
    !is_silent && (is_ours || *metadata.level() <= Level::INFO)
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{Layer as _, Registry};

    use super::*;
    use crate::captured_log::CapturedLog;

    #[test]
    fn no_directive_reaches_the_frames_of_the_broker_and_the_wires_of_other_crates() {
        let directives =
            "trace,lapin::frames=trace,amq_protocol=trace,hyper=trace,h2::codec=trace,sqlx=trace";
        let lines = CapturedLog::default();
        let writer = lines.clone();
        let text = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(false);
        let filter = EnvFilter::builder().parse_lossy(directives).and(filter_fn(may_log));
        let subscriber = Registry::default().with(text.with_filter(filter));
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "lapin::frames", "hunter2");
            tracing::error!(target: "lapin::connection", "hunter2");
            tracing::debug!(target: "amq_protocol_tcp", "hunter2");
            tracing::trace!(target: "hyper::proto::h1", "hunter2");
            tracing::debug!(target: "h2::codec::framed_write", "hunter2");
            tracing::trace!(target: "rustls::client", "hunter2");
            tracing::debug!(target: "sqlx::query", "hunter2");
            tracing::debug!(target: "azure_core::http", "hunter2");
            tracing::trace!(target: "holdfast_worker::step", "ours");
            tracing::info!(target: "sqlx::postgres", "theirs");
        });
        let text = lines.text();
        assert!(text.contains("ours") && text.contains("theirs") && !text.contains("hunter2"), "{text}");
    }
}
