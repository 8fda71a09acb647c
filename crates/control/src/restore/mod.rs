//! Restores and drills: everything that can fail is checked before anything is written.

mod choose;
mod databases;
mod drill;
mod execute;
mod existing_target;
mod gather;
mod plan;
mod request;
mod resolved;
mod source;
mod target;

pub use choose::Wanted;
pub use databases::Databases;
pub use drill::DrillRequest;
pub(crate) use execute::new_run;
pub use execute::{ConfirmedPlan, execute, execute_once, plan_drill, plan_restore};
pub use plan::{Blobs, NEVER_RESTORED, NewRestore, RestorePlan, RestoreTarget};
pub use request::RestoreRequest;
pub use source::RestoreSource;
pub use target::Destination;
