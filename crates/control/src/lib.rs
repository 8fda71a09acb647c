#![doc = include_str!("../README.md")]

pub mod adoption;
pub mod app_names;
pub mod app_resolver;
mod context;
pub mod coverage;
pub mod deletion;
pub mod discovery;
pub mod doctor;
mod error;
pub mod inventory;
mod notify;
pub mod observed_backups;
pub mod operator_actions;
mod policies;
pub mod restore;
pub mod retention;
pub mod retention_decisions;
pub mod sas;
pub mod schedule_preview;
mod storages;
pub mod tier;
mod times;
pub mod verify;
mod wording;

pub use app_resolver::AppResolver;
pub use context::ControlContext;
pub use error::{Context, Error, ErrorKind, advice, refused};
pub use inventory::Inventory;
pub use notify::Notify;
pub use policies::policy_named;
pub use storages::{longest_deadline, storage_named};
pub use times::{age, bytes, until};
pub use wording::{counted, unusable};
