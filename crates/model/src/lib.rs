#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod backoff;
mod clock;
mod event;
mod ids;
mod lane;
mod policy;
pub mod retention;
mod run;
mod sas;
pub mod schedule;
mod state;
mod status;

pub use answer::{Answer, BACKUP_ANSWERS, Cause, CauseKind, Then, answer_to, classify_log};
pub use app::{App, Site};
pub use backoff::{jitter, poll_delay, retry_delay};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp, format_timestamp, parse_timestamp};
pub use event::RunEvent;
pub use ids::{AppId, BackupId, BackupName, InvalidAppId, PolicyName, RunId, StorageName, SubscriptionId};
pub use lane::{Budget, Call, Lane, Limits};
pub use policy::{Overlap, Policy, PollPace, Retries, Retry, Terms};
pub use retention::Retention;
pub use run::{Fold, NewRun, Priority, Run, RunKind, Trigger, Wakeup};
pub use sas::{RefreshReason, SasFacts, SasRefresh, SasWindow};
pub use state::{Attempt, BackupFacts, IllegalTransition, Outcome, RunState, StateCode, Tally, Verification};
pub use status::BackupStatus;
