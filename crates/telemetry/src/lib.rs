#![doc = include_str!("../README.md")]

mod app_metrics;
mod blanked_logs;
mod blanked_spans;
mod blanking_writer;
mod calls;
#[cfg(test)]
mod captured_log;
mod checkpoint_metrics;
mod exports;
mod inert_fields;
mod instruments;
mod known_secrets;
mod log_filter;
mod logging;
mod loop_health;
mod notifications;
mod panic_message;
mod process;
mod providers;
mod queue;
mod run_log;
mod run_trace;
mod semantic;
mod spellings;
mod steps;
mod store;
mod store_counts;
mod telemetry;
mod text_events;
mod whole_run;

pub use app_metrics::MetricsText;
pub use known_secrets::{blanked, remember_secret};
pub use logging::LogOptions;
pub use panic_message::install_panic_message;
pub use process::{Process, ProcessHealth};
pub use telemetry::{Service, Telemetry};
