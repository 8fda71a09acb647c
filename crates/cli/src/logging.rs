//! Logs, to stderr alone: stdout belongs to results.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::args::{Color, Global, Level, LogFormat};

/// Begins logging. `HOLDFAST_LOG` (such as `info,holdfast_worker=debug`) wins over `default`, and `--log` over both.
pub fn begin(global: &Global, default: Level) {
    let chosen = global.log.map(|level| word(level).to_owned());
    let from_environment = || std::env::var("HOLDFAST_LOG").ok().filter(|text| !text.trim().is_empty());
    let filter = chosen.or_else(from_environment).unwrap_or_else(|| word(default).to_owned());
    // A directive that cannot be read is left out: logging must not keep the program from working.
    let filter = EnvFilter::builder().parse_lossy(filter);
    let colored = is_colored(global.color, std::io::stderr().is_terminal());
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colored);
    // Another subscriber is in place only in tests, and then theirs is the one that counts.
    let _ = match global.log_format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
}

/// Whether a stream gets colours.
pub fn is_colored(color: Color, is_terminal: bool) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}
