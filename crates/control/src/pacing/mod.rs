//! Paces the calls of commands and loops to ARM: within the shared budgets, with `Retry-After` honoured.

mod observer;
mod paced_arm;
mod pacer;
mod retry;
mod tokens;

pub use observer::{NoopWaitObserver, Wait, WaitObserver, WaitReason};
pub use paced_arm::PacedArm;
pub use pacer::{Pacer, PacerParts};
pub use retry::Patience;
