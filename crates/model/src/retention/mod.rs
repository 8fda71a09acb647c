//! How long backups are owed, and which of them may go.
//!
//! Azure never removes a backup that was asked for, so somebody has to. What is decided here is pure: the rule, the
//! backups of one app, a zone and a time go in, and a fate for each backup comes out.

mod fates;
mod period;
mod rule;
#[cfg(test)]
mod tests;

pub use fates::{Backup, Fate, Why, fates};
pub use rule::{Keep, Retention};
