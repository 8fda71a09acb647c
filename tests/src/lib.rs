//! Tests that join the crates live in this package; see `contract/` and `simulation/`. Here is what they, and the
//! tests of single crates, need of servers.

pub mod postgres;
mod services;

pub use services::service;
