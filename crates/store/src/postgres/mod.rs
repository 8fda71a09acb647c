//! The store in a PostgreSQL database, which several machines share.

mod cells;
mod connections;
mod database;
mod database_url;
mod dialect;
mod driver;
mod open;
mod safeguards;
mod session;
mod wire;

pub use database::PgStore;
pub use wire::{DatabaseWire, database_wire};
