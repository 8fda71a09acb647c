//! Restores by hand: everything that could be found wrong is found before anything is written.

mod choose;
mod databases;
mod gather;
mod place;
mod plan;
mod source;
mod target;

pub use databases::Databases;
pub use gather::{Purpose, RestoreRequest, plan};
pub use plan::RestorePlan;
pub use target::{Aim, aim};
