//! Deletions: planned, confirmed by a person, then executed.

mod execute;
mod plan;
mod select;
mod view;
#[cfg(test)]
mod tests;

pub use execute::execute;
pub(crate) use execute::runs;
pub use plan::{DeletionPlan, DeletionRequest, NewestGood, PlannedDeletion, plan};
pub use select::Allowed;
pub use view::{PlannedBackup, PlannedDeletions};
