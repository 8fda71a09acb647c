//! Azure's own schedules: shown, compared with the policies, set and removed.

mod change;
mod drift;
mod observe;

pub use change::{AppSchedule, plan_push, plan_removal, push, remove};
pub use drift::{ScheduleDrift, drift};
pub(crate) use observe::observed;
pub use observe::{ShownSchedule, show};
