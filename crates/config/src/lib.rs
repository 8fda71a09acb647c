#![doc = include_str!("../README.md")]

mod apps;
mod azure;
mod check;
mod databases;
mod drill;
mod engine;
mod fleet;
mod fleet_file;
mod lapsed;
mod native_schedule;
mod policy;
mod problem;
mod reader;
mod report;
mod retention;
mod secrets;
mod source;
mod storage;
mod suggest;
mod word;

pub use drill::is_probe;
pub use fleet::{Cloud, Discover, EngineConfig, Fleet};
pub use fleet_file::{Checked, Invalid, check, summary};
pub use lapsed::Lapsed;
pub use problem::{Problem, Severity};
pub use secrets::Secrets;
pub use source::Unreadable;
pub use suggest::nearest;

#[cfg(test)]
mod tests;
