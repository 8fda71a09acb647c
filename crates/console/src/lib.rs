#![doc = include_str!("../README.md")]

mod app_status_cache;
mod check;
mod heartbeat;
mod server;

pub use app_status_cache::{AppStatusCache, AppStatusReading};
pub use check::{Check, CheckResult, ConsumersAttached, Readiness, StoreAnswers};
pub use heartbeat::{Heartbeat, RecentHeartbeat};
pub use server::{Console, Metrics, MetricsError, Server, ServerError};
