//! Deletions: which backups a request may delete.

mod plan;
#[cfg(test)]
mod tests;

pub use plan::{Allowed, DeletionPlan, deletion, newest_good};
