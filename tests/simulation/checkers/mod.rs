//! What must hold, each in a file of its own.

mod audit;
mod budgets;
mod held;
mod kept;
mod posts;
mod restores;
mod secrets;
mod ticks;

pub(crate) use audit::audit;
pub(crate) use budgets::budgets;
pub(crate) use held::held;
pub(crate) use kept::kept;
pub(crate) use posts::posts;
pub(crate) use restores::restores;
pub(crate) use secrets::secrets;
pub(crate) use ticks::ticks;
