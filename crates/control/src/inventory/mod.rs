//! An app's backups: the catalog beside Azure.

#[expect(clippy::module_inception, reason = "the main type's file has its name")]
mod inventory;
mod item;
#[cfg(test)]
pub(crate) mod tests;
mod view;

pub use inventory::{Inventory, being_deleted};
pub use item::{Item, MadeBy, Presence};
pub use view::BackupView;
