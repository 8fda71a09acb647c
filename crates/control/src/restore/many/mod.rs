//! Restores and drills of many apps: one plan, one confirmation, one transaction.

mod plan;
mod request;
mod targets;
#[cfg(test)]
mod tests;

pub use plan::{ManyPlan, plan_many};
pub use request::{APPS_MAX, ManyRestores, ManyTargets};
