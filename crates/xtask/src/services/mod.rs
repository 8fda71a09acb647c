//! Private servers for tests and for developers: PostgreSQL, RabbitMQ and Azurite, and the programs that tests run.
//!
//! Each server has its own ports, folder and password. The servers are children of a supervisor (`xtask serve`),
//! which stops them when its stdin closes. So they stop with the process that started them, however it ends.

mod azure_sdk;
mod azurite;
mod browser;
mod environment;
mod install;
mod kind;
mod ports;
mod postgres;
mod process_tree;
pub mod python;
mod rabbitmq;
mod random;
mod schemathesis;
mod server;
mod session;
mod smtp_server;
mod supervisor;
mod test_services;

pub use session::{down, up};
pub use supervisor::{Options as ServeOptions, run as serve};
pub use test_services::TestServices;
