//! Checks that the backups of the catalog still exist and are whole.

mod app;
mod report;
mod result;

pub use report::{VerifiedBackup, VerifyReport, catalog_by_app, verify};
pub use result::VerifyResult;
