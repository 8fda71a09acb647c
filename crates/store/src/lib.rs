#![doc = include_str!("../README.md")]

mod chain;
mod error;
mod memory;
mod sqlite;
mod store;

pub use chain::{Broken, Link, verify_chain};
pub use error::Error;
pub use memory::MemoryStore;
pub use sqlite::{Mode, OneProcess, SqliteStore};
pub use store::{
    AppStatus, Ask, AuditEvent, Board, Change, Committed, Cursor, Enrolled, FleetChange, LaneDue, LastRun, Loaded, Plan,
    Planned, RunFilter, Store, Taken,
};
