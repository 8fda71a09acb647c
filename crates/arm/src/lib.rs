#![doc = include_str!("../README.md")]

mod arm;
mod clouds;
mod credential;
mod error;
mod exchange;
mod http;
mod operation;
mod refusal;
mod scrub;
mod token;
mod wire;

pub use arm::{Arm, Backup, BackupRequest, Database};
pub use clouds::Clouds;
pub use credential::{Credential, PUBLIC_SCOPE};
pub use error::{Error, ThrottleScope, Verdict};
pub use http::{HttpArm, InvalidSettings, PUBLIC_ENDPOINT, Settings};
pub use operation::{CallFacts, Observer, Operation, Remaining, Unobserved};
pub use scrub::scrub;
pub use token::{Token, TokenError, TokenSource};
