//! The console over HTTP.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod access;
mod actions;
mod acts;
mod app_status_cache;
mod approvals;
mod azure;
mod events;
mod filled;
mod http;
mod listener;
mod pages;
mod restores;
mod route_matrix;
mod site;
mod tls;
mod world;
