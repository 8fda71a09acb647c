//! Paces the calls of commands to ARM: within the shared budgets, with `Retry-After` honoured and reads retried.

mod observer;
mod paced_arm;
mod pacer;
mod retry;
mod tokens;

pub use observer::{NoopWaitObserver, Wait, WaitObserver, WaitReason};
pub use paced_arm::PacedArm;
pub use pacer::{Pacer, PacerParts};
