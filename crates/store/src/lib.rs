#![doc = include_str!("../README.md")]

mod app_days;
mod approvals;
mod audit;
mod breaker;
mod budget_draw;
mod chain;
mod change;
mod checkpoints;
mod columns;
mod difference;
mod error;
mod filter;
mod fleet;
mod group;
mod group_commit;
mod group_load;
mod lanes;
mod memory;
mod migrations;
mod mode;
mod notifications;
mod operations;
mod postgres;
mod processes;
mod replay;
mod requests;
mod revisions;
mod row_check;
mod rules;
mod run_rows;
mod safeguard;
mod sql;
mod sqlite;
mod status;
mod store;
mod subscriptions;
mod unreadable;

pub use holdfast_access::ApiToken;

pub use app_days::{AppDay, Day, DayCounts};
pub use approvals::{Approval, ApprovalKind, ApprovalState, Asked, Decision, Maker, Verdict};
pub use audit::AuditEvent;
pub use breaker::{BreakerRecord, OpenBreaker};
pub use budget_draw::{BudgetDraw, Drawn};
pub use chain::{Broken, ChainRow, Content, Damage, Link, sha256_hex, verify_chain};
pub use change::{Change, Committed, HeldLease, Loaded, PastDurations};
pub use checkpoints::CheckpointStatus;
pub use error::Error;
pub use filter::{ActFilter, CatalogFilter, RunFilter, RunPlace};
pub use fleet::{Cursor, CursorAdvance, Departure, Enrolled, FleetChange, Observation, Owed, Planned};
pub use group_commit::GroupCommit;
pub use group_load::GroupLoad;
pub use lanes::{DueLane, DueLanes, LaneQuota, LeaseTerms, Leased};
pub use memory::{MemoryCopy, MemoryStore};
pub use mode::Mode;
pub use notifications::{
    Delivery, KEPT_FOR, NewNotification, Notification, NotificationState, NotificationStore, NotifierAdvance,
    NotifierPlace,
};
pub use operations::OperationRecord;
pub use postgres::{DatabaseWire, PgStore, database_wire};
pub use processes::ProcessStatus;
pub use requests::{RequestAnswer, RequestKey};
pub use revisions::{Revision, RevisionHead};
pub use row_check::row_differences;
pub use run_rows::{RunPage, RunRow};
pub use safeguard::Safeguard;
pub use sqlite::{OneProcess, SqliteStore};
pub use status::{
    Acknowledgement, AppStatus, CheckStatus, Departed, LastRun, Missed, Pause, Running, Unprotected,
};
pub use store::Store;
pub use subscriptions::{ClosedBudget, Listing, ListingResult, SubscriptionStatus};
pub use unreadable::{Removed, RowRemoval, UnreadableRow};
