#![doc = include_str!("../README.md")]

mod bucket;
mod catalog;
mod chain;
mod columns;
mod enrolment;
mod error;
mod handout;
mod intent;
mod memory;
mod postgres;
mod reading;
mod sqlite;
mod store;

pub use chain::{Broken, ChainRow, Damage, Link, verify_chain};
pub use error::Error;
pub use memory::MemoryStore;
pub use postgres::PgStore;
pub use sqlite::{Mode, OneProcess, SqliteStore};
pub use store::{
    AppStatus, Ask, AuditEvent, Board, CatalogFilter, Change, Committed, Cursor, Enrolled, FleetChange,
    LaneDue, LastRun, Loaded, Plan, Planned, RunFilter, Running, Store, Taken,
};
