#![doc = include_str!("../README.md")]

mod check;
mod pulse;
mod server;
mod standing;

pub use check::{Attached, Check, CheckResult, Readiness, StoreAnswers};
pub use pulse::{Pulse, Recent};
pub use server::{Console, Metrics, MetricsError, Server, ServerError};
pub use standing::{Shown, Standing};
