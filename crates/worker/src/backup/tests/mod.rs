//! Transitions of a backup run.

mod blob_check;
mod endings;
mod lifecycle;
mod polled;
mod reconciled;
mod started;

use holdfast_arm::Backup;
use holdfast_model::BackupStatus;

use super::found::FoundBackup;
use crate::fixtures::{attempt, backup};

/// A listed backup of an attempt.
fn found(number: u32) -> FoundBackup {
    let name = attempt(number).name;
    let backup = Backup { name: Some(name.to_string()), ..backup(BackupStatus::Created) };
    FoundBackup { number, name, backup }
}
