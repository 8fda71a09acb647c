//! Checks everything that backups and restores depend on, and changes nothing.

mod app;
mod check;
mod finding;
mod fleet_file;
mod rights;
mod scratch_apps;
mod storages;
mod store;
mod summary;
mod time_zones;

pub use check::{Credential, Doctor, unreadable_credential};
pub use finding::{Finding, FindingSeverity, worst};
pub use fleet_file::fleet_file;
pub use store::{broker, login, rows, safeguards, store};
pub use summary::worst_first;
pub use time_zones::time_zones;
