//! An app's backups: the catalog beside Azure.

#[expect(clippy::module_inception, reason = "the main type's file has its name")]
mod inventory;
mod item;
mod known_backups;
mod problem;
#[cfg(test)]
pub(crate) mod tests;
mod view;

pub(crate) use inventory::in_reach;
pub use inventory::{Inventory, being_deleted};
pub use item::{Item, MadeBy, Presence};
pub(crate) use known_backups::KnownBackups;
pub(crate) use problem::is_lost_lately;
pub use problem::{BackupProblem, ProblemKind};
pub use view::BackupView;
