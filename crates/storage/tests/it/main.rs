//! The real storage against a small blob server that answers as it is told, and against Azurite.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod azurite;
mod bridge;
mod delegation;
mod grant;
mod health;
mod look;
mod secrets;
mod server;
mod vault;
