#![doc = include_str!("../README.md")]

mod app_status_cache;
mod check;
mod connections;
mod heartbeat;
mod hosts;
mod limits;
mod listener;
mod server;

pub use app_status_cache::{AppStatusCache, AppStatusReading};
pub use check::{Check, CheckResult, ConsumersAttached, Readiness, StoreAnswers};
pub use heartbeat::{Heartbeat, RecentHeartbeat};
pub use hosts::AllowedHosts;
pub use limits::ListenerLimits;
pub use server::{Console, Metrics, MetricsError, Server, ServerError};
