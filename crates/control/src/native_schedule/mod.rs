//! Azure's own schedules: shown, compared with the policies, set and removed.

mod change;
mod drift;
mod observe;

pub use change::{AppSchedule, plan_push, plan_removal, push, remove};
pub(crate) use drift::differences;
pub use drift::{ScheduleDrift, drift};
pub(crate) use observe::ObservedSchedule;
pub use observe::{ShownSchedule, show};
