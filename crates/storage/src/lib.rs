#![doc = include_str!("../README.md")]

mod blob;
mod container;
mod delegation;
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
mod secrets;
mod source;
mod storage;
mod supply;
mod time;
mod tokens;
mod vault;

pub use container::{Container, InvalidContainer, storage_account};
pub use delegation::NoKey;
pub use error::{Error, ErrorKind, Refusal};
pub use health::SasHealth;
pub use judge::{Fault, Judgement, Warning, judge};
pub use live::LiveStorage;
pub use mint::{InvalidKey, mint};
pub use sas::{InvalidSas, Permissions, Sas, Scope};
pub use secret::{InvalidSecretRef, SecretError, SecretRef};
pub use secrets::{LiveSecrets, Secrets};
pub use source::{DELEGATION_LIFETIME_MAX, SasSource};
pub use storage::{BlobFacts, Grant, Need, Storage};
pub use supply::{Access, StorageTarget};
pub use tokens::{NoToken, Tokens};
pub use vault::VaultSecret;
