//! The simulated Azure from outside: its quirks, its faults, its replay, and its two skins.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

mod at_once;
mod deletes;
mod faults;
mod hostile;
mod http;
mod in_process;
mod quirks;
mod replay;
mod restores;
mod schedules;
mod seen_secrets;
mod skins;
mod storage;
