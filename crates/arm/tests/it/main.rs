//! The client over real HTTP, against a server that answers as each test says.

#![expect(clippy::unwrap_used, reason = "this is a test, helpers and all")]

mod answers;
mod clouds;
mod credentials;
mod every;
mod hostile;
mod hostile_operations;
mod operations;
mod pages;
mod recordings;
mod secrets;
mod server;
mod tokens;
mod wire;
