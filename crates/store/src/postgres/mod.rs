//! The store in a PostgreSQL database, which several machines share.

mod cells;
mod database;
mod dialect;
mod driver;
mod open;
mod safeguards;
mod session;

pub use database::PgStore;
