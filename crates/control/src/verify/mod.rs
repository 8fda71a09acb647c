//! Checks that the backups of the catalog still exist and are whole.

mod app;
mod report;

pub use holdfast_arm::VerifyResult;
pub use report::{VerifiedBackup, VerifyReport, catalog_by_app, verify};
