//! Restores and drills: everything that can fail is checked before anything is written.

mod choose;
mod databases;
mod drill;
mod execute;
mod existing_target;
mod gather;
mod many;
mod plan;
mod plan_context;
mod request;
mod resolved;
mod source;
mod target;

pub use choose::Wanted;
pub(crate) use choose::{Chosen, choose};
pub use databases::Databases;
pub use drill::DrillRequest;
pub use execute::{ConfirmedPlans, execute, execute_once, plan_drill, plan_restore};
pub(crate) use execute::{new_runs, plan_restores};
pub use many::{APPS_MAX, ManyPlan, ManyRestores, ManyTargets, plan_many};
pub use plan::{Blobs, NEVER_RESTORED, NewRestore, RestorePlan, RestoreTarget};
pub use request::RestoreRequest;
pub use source::RestoreSource;
pub use target::Destination;
