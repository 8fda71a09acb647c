#![doc = include_str!("../README.md")]

mod azure;
mod call_counter;
mod config;
mod counters;
mod faults;
mod fleet;
mod http;
mod in_process;
mod offset_clock;
mod request;

pub use azure::{Azure, BlobFacts, InvalidKey, Restored};
pub use call_counter::CallCounter;
pub use config::{BucketSize, BucketSizes, Client, Config, Pace};
pub use counters::{AcceptedDelete, AcceptedPost, AcceptedRestore, Counters};
pub use faults::{CallFault, DeleteEnd, End, Faults, RestoreEnd, ScriptedOutcome};
pub use fleet::{Fleet, FleetSite, StorageAccount, fleet};
pub use http::Server;
pub use in_process::InProcess;
pub use offset_clock::OffsetClock;
pub use request::{Delivery, Method, Request, Response};
