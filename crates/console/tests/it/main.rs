//! The console over HTTP.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod access;
mod actions;
mod acts;
mod api_backups;
mod api_revisions;
mod app_status_cache;
mod approvals;
mod audit;
mod azure;
mod azure_audit;
mod azure_requests;
mod entra;
mod events;
mod fake_entra;
mod filled;
mod http;
mod listener;
mod many;
mod openapi;
mod pages;
mod restores;
mod route_matrix;
#[path = "../../../entra/tests/it/signer.rs"]
mod signer;
mod site;
mod statements;
mod tls;
mod verifications;
mod world;
