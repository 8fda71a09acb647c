//! What the errors of SQLite's driver mean.

use sqlx::Error as Driver;

use crate::error::{Error, Result};

/// Names the operation that a driver's error failed.
pub(super) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, Driver> {
    fn during(self, operation: &'static str) -> Result<T> {
        self.map_err(|source| match primary_code(&source) {
            Some(FULL) => Error::Full { operation, source },
            Some(READ_ONLY) => Error::ReadOnly { operation, source },
            _ => Error::Driver { operation, source },
        })
    }
}

// SQLite's primary result codes (sqlite.org/rescode.html).
pub(super) const BUSY: i32 = 5;
pub(super) const READ_ONLY: i32 = 8;
pub(super) const CORRUPT: i32 = 11;
pub(super) const FULL: i32 = 13;
pub(super) const CANNOT_OPEN: i32 = 14;
pub(super) const NOT_A_DATABASE: i32 = 26;

/// SQLite's primary result code: the low byte of the extended code that the driver reports.
pub(super) fn primary_code(error: &Driver) -> Option<i32> {
    let code = error.as_database_error()?.code()?.parse::<i32>().ok()?;
    Some(code & 0xff)
}
