//! The SAS that backups are written with, and those that Azure keeps with backups.

mod check;
mod refresh;

pub(crate) use check::health;
pub use check::{CheckedStorage, check};
pub use refresh::refresh;
