//! Retention: which backups are kept and which are deleted.
//!
//! Azure never removes backups made on demand, so Holdfast must. [`decide`] is pure: from a rule, the backups of one
//! app, a time zone and a time it makes a decision for each backup.

mod decision;
mod period;
mod rule;
#[cfg(test)]
mod tests;

pub use decision::{Backup, KeepReason, RetentionDecision, decide};
pub use rule::{Keep, Retention};
