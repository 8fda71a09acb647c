#![doc = include_str!("../README.md")]

mod bucket;
mod catalog;
mod chain;
mod columns;
mod enrolment;
mod error;
mod intent;
mod memory;
mod postgres;
mod reading;
mod selection;
mod sqlite;
mod store;

pub use chain::{Broken, ChainRow, Damage, Link, verify_chain};
pub use error::Error;
pub use memory::MemoryStore;
pub use postgres::PgStore;
pub use sqlite::{Mode, OneProcess, SqliteStore};
pub use store::{
    AppStatus, AuditEvent, CatalogFilter, Change, Committed, Cursor, CursorAdvance, DueLane, DueLanes,
    Enrolled, FleetChange, LaneQuota, LastRun, Leased, Loaded, Planned, RunFilter, Running, Store,
};
