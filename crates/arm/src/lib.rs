#![doc = include_str!("../README.md")]

mod answer;
mod arm;
mod authority;
mod bodies;
mod clouds;
mod credential;
mod error;
mod exchange;
mod http;
mod identity;
mod operation;
mod permissions;
mod probe;
mod refusal;
mod scrub;
mod target;
mod token;
mod wire;

pub use answer::{Answer, Page};
pub use arm::{
    Arm, Backup, BackupBody, BackupSecrets, Database, Discovered, FoundSchedule, Progress, RestoreBody,
    ScheduleBody, Started,
};
pub use bodies::{backup_body, discover_body, restore_body, schedule_body, secrets_body};
pub use clouds::Clouds;
pub use credential::{Credential, PUBLIC_SCOPE};
pub use error::{Error, ErrorKind, ThrottleScope};
pub use http::{HttpArm, InvalidSettings, PUBLIC_ENDPOINT, Settings};
pub use operation::{CallFacts, CallObserver, NoopCallObserver, Operation, Remaining};
pub use permissions::{Grant, Permissions};
pub use probe::{HttpProbe, Probe, ProbeError};
pub use scrub::scrub;
pub use target::Target;
pub use token::{Token, TokenError, TokenSource};
