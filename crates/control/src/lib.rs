#![doc = include_str!("../README.md")]

pub mod added_runs;
pub mod adoption;
pub mod app_names;
pub mod app_resolver;
pub mod audit;
pub mod backup;
mod context;
pub mod deletion;
pub mod discovery;
mod error;
pub mod holds;
pub mod inventory;
pub mod native_schedule;
mod notify;
pub mod observed_backups;
pub mod operator_actions;
pub mod restore;
pub mod retention_decisions;
mod reveal;
pub mod runs;
pub mod status;
mod storages;
pub mod tier;
mod times;
mod wording;

pub use added_runs::{AddedRuns, add_runs};
pub use app_resolver::{AppResolver, AppSelection};
pub use context::ControlContext;
pub use error::{Context, Error, ErrorKind, advice, refused};
pub use inventory::Inventory;
pub use notify::Notify;
pub use reveal::reveal;
pub use storages::{longest_deadline, storage_named};
pub use times::{age, bytes, until};
pub use wording::{counted, unusable};
