//! The store in one SQLite file: durable across `kill -9`, and readable with plain SQL.

mod cells;
mod database;
mod dialect;
mod driver;
mod lock;
mod open;
mod session;

pub use database::SqliteStore;
pub use lock::OneProcess;

#[cfg(test)]
mod tests;
