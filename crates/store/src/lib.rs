#![doc = include_str!("../README.md")]

mod audit;
mod budget_draw;
mod chain;
mod change;
mod columns;
mod error;
mod filter;
mod fleet;
mod lanes;
mod memory;
mod migrations;
mod mode;
mod postgres;
mod rules;
mod sql;
mod sqlite;
mod status;
mod store;
mod subscriptions;
mod unreadable;

pub use audit::AuditEvent;
pub use budget_draw::{BudgetDraw, Drawn};
pub use chain::{Broken, ChainRow, Damage, Link, verify_chain};
pub use change::{Change, Committed, Loaded};
pub use error::Error;
pub use filter::{CatalogFilter, RunFilter};
pub use fleet::{Cursor, CursorAdvance, Departure, Enrolled, FleetChange, Observation, Owed, Planned};
pub use lanes::{DueLane, DueLanes, LaneQuota, Leased};
pub use memory::{MemoryCopy, MemoryStore};
pub use mode::Mode;
pub use postgres::{DatabaseWire, PgStore, database_wire};
pub use sqlite::{OneProcess, SqliteStore};
pub use status::{AppStatus, CheckStatus, Departed, LastRun, Missed, Running, Unprotected};
pub use store::Store;
pub use subscriptions::{ClosedBudget, Listing, ListingResult, SubscriptionStatus};
pub use unreadable::{Removed, RowRemoval, UnreadableRow};
