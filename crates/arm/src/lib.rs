#![doc = include_str!("../README.md")]

mod arm;
mod clouds;
mod error;
mod operation;
mod scrub;

pub use arm::{Arm, Backup, BackupRequest, Database};
pub use clouds::Clouds;
pub use error::{Error, ThrottleScope, Verdict};
pub use operation::{CallFacts, Observer, Operation, Remaining, Unobserved};
pub use scrub::scrub;
