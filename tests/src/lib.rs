//! Tests that join the crates live in this package: `contract/`, `simulation/`, `pipeline/` and `deploy/`, and the
//! benchmark in `bench/`. Here is what they, and the tests of single crates, need of servers.

pub mod collector;
pub mod postgres;
pub mod proxy;
pub mod rabbitmq;
pub mod servers;
mod services;

pub use services::service;
