//! Retention: which backups are kept and which are deleted.
//!
//! Azure never removes backups made on demand, so Holdfast must. [`decide`] is pure: from a rule, the backups of one
//! app, a time zone and a time it makes a decision for each backup.

mod decision;
mod deletion_rule;
mod keep_reason;
mod period;
mod rule;
#[cfg(test)]
mod tests;

pub use decision::{Backup, RetentionDecision, decide};
pub use deletion_rule::DeletionRule;
pub use keep_reason::KeepReason;
pub use rule::{Keep, Retention};
