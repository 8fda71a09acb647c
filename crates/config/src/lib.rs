#![doc = include_str!("../README.md")]

mod apps;
mod azure;
mod checkpoint;
mod choice;
mod consistency;
mod container_of_app;
mod control;
mod databases;
mod diagnostics;
mod drill;
mod effective;
mod engine;
mod exclusion;
mod fleet;
mod fleet_file;
mod inheritance;
mod login_credential;
mod native_schedule;
mod nearest;
mod no_effect;
mod notify;
mod policy;
mod problem;
mod retention;
mod scalars;
mod secrets;
mod section;
mod shared_containers;
mod source;
mod storage;
mod trusted_hosts;
mod unusable_storage;
mod windows_zones;
mod wrong_kind;
mod zone_data;
mod zone_hint;

pub use checkpoint::{CheckpointDestination, Checkpoints};
pub use control::FourEyes;
pub use drill::is_probe;
pub use effective::EffectiveValue;
pub use exclusion::Exclusion;
pub use fleet::{Cloud, Discover, EngineConfig, Fleet};
pub use fleet_file::{Checked, Invalid, azure_sections, check, check_text, summary};
pub use login_credential::{InvalidLoginCredential, LoginCredential, LoginError, LoginServer, TokenLogin};
pub use nearest::nearest;
pub use notify::{Channel, ClockTime, Email, MailTls, Notifications, NotifyOn, NotifyRule, QuietTime};
pub use problem::{Problem, Severity};
pub use secrets::Secrets;
pub use shared_containers::shared_containers;
pub use source::Unreadable;
pub use unusable_storage::UnusableStorage;
pub use zone_data::ZoneData;

#[cfg(test)]
mod tests;
