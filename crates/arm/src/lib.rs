#![doc = include_str!("../README.md")]

mod answers;
mod arc_identity;
mod arm;
mod authority;
mod bodies;
mod cause;
mod client;
mod clouds;
mod credential;
mod envelope;
mod error;
mod headers;
mod http;
mod identity;
mod observed_backups;
mod observer;
mod operation;
mod permissions;
mod probe;
mod refusal;
mod requests;
mod response;
mod scrub;
mod settings;
mod subject;
mod token;
mod token_answer;
mod token_cache;
mod token_passwords;
mod token_transport;
mod transport;
mod verify_result;
mod wire;

pub use answers::{
    Backup, BackupSecrets, Discovered, FoundSchedule, Progress, SiteList, Started, Subscription,
};
pub use arm::Arm;
pub use client::ArmClient;
pub use clouds::Clouds;
pub use credential::{Credential, PUBLIC_SCOPE};
pub use error::{Error, ErrorKind, ThrottleScope};
pub use http::{http_transport, is_loopback};
pub use observed_backups::ObservedBackups;
pub use observer::{CallFacts, CallObserver, NoopCallObserver, Remaining};
pub use operation::Operation;
pub use permissions::{Grant, Permissions};
pub use probe::{HttpProbe, Probe, ProbeError};
pub use requests::{BackupBody, Database, RestoreBody, ScheduleBody};
pub use scrub::scrub;
pub use settings::{InvalidSettings, PUBLIC_ENDPOINT, Settings};
pub use subject::tenant_budget;
pub use token::{Token, TokenError, TokenSource};
pub use token_cache::TokenCache;
pub use token_passwords::TokenPasswords;
pub use transport::{Transport, TransportError, TransportRequest, TransportResponse};
pub use verify_result::{BlobSizes, Observation, VerifyResult, judge};

use response::ArmResponse;
use subject::CallSubject;
