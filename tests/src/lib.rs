//! Servers and proxies for tests, shared by the suites of this package and the tests of single crates.
//!
//! The suites are described in `tests/README.md`.

pub mod collector;
pub mod fleet_file;
pub mod postgres;
pub mod proxy;
pub mod rabbitmq;
pub mod servers;
mod services;
pub mod smtp_server;
pub mod sqlite;

pub use services::service;
