//! Revisions of the fleet: what a change does, and how every process comes to work by it.
//!
//! While there is no revision, each process works by its fleet file. Afterwards the newest revision counts.

mod change;
mod changes;
mod deletions;
mod diff;
#[cfg(test)]
pub(crate) mod fixture;
mod history;
mod in_force;
mod membership;
mod proposal;
mod stored;
mod submission;
#[cfg(test)]
mod tests;
mod text;

pub use change::Change;
pub use changes::{ChangeKind, DeletionChange, FieldChange, PolicyChange};
pub use diff::{AppChange, FleetDiff, TickChange};
pub use holdfast_config::FleetText;
pub use holdfast_store::RevisionHead;

pub use history::{REVISIONS_MAX, RevisionView, compare, list, propose_rollback, show};
pub use in_force::{InForce, newest_usable, read_revision};
pub use proposal::{Order, Proposal, checked, propose};
pub use submission::{Submitted, submit_file};
pub use text::lines;
