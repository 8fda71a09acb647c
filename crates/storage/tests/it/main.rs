//! The real storage against a small scripted blob server, and against Azurite.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod append;
mod azurite;
mod bridge;
mod delegation;
mod grant;
mod health;
mod look;
mod secrets;
mod server;
mod vault;
