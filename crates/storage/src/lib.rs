#![doc = include_str!("../README.md")]

mod blob;
mod container;
mod error;
mod fields;
mod health;
mod http;
mod judge;
mod live;
mod mint;
mod probe;
mod sas;
mod secret;
mod source;
mod storage;
mod time;

pub use container::{Container, InvalidContainer, storage_account};
pub use error::{Error, Refusal, Verdict};
pub use health::SasHealth;
pub use judge::{Fault, Judgement, Warning, judge};
pub use live::{LiveStorage, Target};
pub use mint::{InvalidKey, mint};
pub use sas::{InvalidSas, Permissions, Sas, Scope};
pub use secret::{InvalidSecretRef, SecretError, SecretRef};
pub use source::SasSource;
pub use storage::{BlobFacts, Grant, Need, Storage};
