//! How long backups are owed, and which of them may go.
//!
//! Azure never removes a backup that was asked for, so somebody has to. What is decided here is pure: the rule, the
//! backups of one app, a zone and a time go in, and a decision for each backup comes out.

mod decision;
mod period;
mod rule;
#[cfg(test)]
mod tests;

pub use decision::{Backup, KeepReason, RetentionDecision, decide};
pub use rule::{Keep, Retention};
