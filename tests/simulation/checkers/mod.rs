//! The checkers: one invariant in each file.

mod audit;
mod budgets;
mod catalog;
mod leases;
mod occupied_apps;
mod posts;
mod recorded;
mod restores;
mod secrets;
mod ticks;

pub(crate) use audit::audit;
pub(crate) use budgets::budgets;
pub(crate) use catalog::catalog;
pub(crate) use leases::leases;
pub(crate) use occupied_apps::occupied_apps;
pub(crate) use posts::posts;
pub(crate) use recorded::recorded;
pub(crate) use restores::restores;
pub(crate) use secrets::secrets;
pub(crate) use ticks::ticks;
