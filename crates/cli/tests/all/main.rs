//! The program as its users run it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod answers;
mod collector;
mod command;
mod deploy;
mod doctor;
mod kill;
mod restoring;
mod sas;
mod simulated;
mod telemetry;
