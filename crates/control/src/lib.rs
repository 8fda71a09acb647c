#![doc = include_str!("../README.md")]

pub mod adoption;
pub mod app_names;
pub mod app_resolver;
mod context;
pub mod deletion;
pub mod discovery;
mod error;
pub mod inventory;
mod notify;
pub mod observed_backups;
pub mod operator_actions;
pub mod restore;
pub mod retention_decisions;
mod storages;
pub mod tier;
mod wording;

pub use app_resolver::AppResolver;
pub use context::ControlContext;
pub use error::{Context, Error, ErrorKind, advice, refused};
pub use inventory::Inventory;
pub use notify::Notify;
pub use storages::{longest_deadline, storage_named};
pub use wording::{counted, unusable};
