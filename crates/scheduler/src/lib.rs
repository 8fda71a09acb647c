#![doc = include_str!("../README.md")]

mod app_backups;
mod app_retention;
mod check_timing;
mod dispatcher;
mod error;
mod fairness;
mod fleet_snapshot;
mod maintenance;
mod plan_batch;
mod planner;
mod planning_context;
mod renewal;
mod storage_accounts;
mod unfinished_runs;

pub use app_retention::{AppRetention, ForeignBackup, RetentionQuery};
pub use dispatcher::{Dispatched, Dispatcher};
pub use error::Error;
pub use fairness::allocate_fairly;
pub use fleet_snapshot::{FleetSnapshot, Proof, Sighting};
pub use maintenance::{MaintenancePlanner, MaintenanceReport};
pub use planner::Planner;
pub use planning_context::PlanningContext;
pub use storage_accounts::StorageAccounts;
pub use unfinished_runs::UnfinishedRuns;
