//! Deletions: planned, confirmed by a person, then executed.

mod execute;
mod plan;
mod select;
#[cfg(test)]
mod tests;
mod view;

pub use execute::execute;
pub(crate) use execute::runs;
pub use plan::{DeletionPlan, DeletionRequest, NewestGood, PlannedDeletion, plan};
pub use select::Allowed;
pub use view::{PlannedBackup, PlannedDeletions};
