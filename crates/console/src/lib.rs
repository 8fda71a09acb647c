#![doc = include_str!("../README.md")]

mod api;
mod api_backups;
mod app_status_cache;
mod assets;
mod backup_request;
mod backups;
mod caller;
mod check;
mod connections;
mod failure;
mod forms;
mod gate;
mod headers;
mod heartbeat;
mod hosts;
mod layout;
mod limits;
mod listener;
mod local_mode;
mod markup;
mod pages;
mod refused;
mod route_table;
mod routes;
mod server;
mod site;

pub use app_status_cache::{AppStatusCache, AppStatusReading};
pub use backups::{BackupActions, BackupRequest};
pub use check::{Check, CheckResult, ConsumersAttached, Readiness, StoreAnswers};
pub use heartbeat::{Heartbeat, RecentHeartbeat};
pub use hosts::AllowedHosts;
pub use limits::ListenerLimits;
pub use route_table::{Demand, RouteRule};
pub use routes::route_rules;
pub use server::{Console, Metrics, MetricsError, Server, ServerError};
pub use site::{Site, SiteParts};
