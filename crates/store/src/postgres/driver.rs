//! What the errors of PostgreSQL's driver mean.

use sqlx::Error as Driver;

use crate::error::{Error, Result};

/// Names the operation that a driver's error failed.
pub(super) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, Driver> {
    fn during(self, operation: &'static str) -> Result<T> {
        self.map_err(|source| match code(&source).as_deref() {
            Some(DISK_FULL) => Error::Full { operation, source },
            Some(READ_ONLY) => Error::ReadOnly { operation, source },
            _ => Error::Driver { operation, source },
        })
    }
}

// PostgreSQL's SQLSTATE codes (postgresql.org/docs/current/errcodes-appendix.html).
pub(super) const READ_ONLY: &str = "25006";
pub(super) const REFUSED: &str = "28000";
pub(super) const WRONG_PASSWORD: &str = "28P01";
pub(super) const NO_DATABASE: &str = "3D000";
pub(super) const NO_PRIVILEGE: &str = "42501";
pub(super) const UNIQUE_VIOLATION: &str = "23505";
pub(super) const SCHEMA_EXISTS: &str = "42P06";
pub(super) const TABLE_EXISTS: &str = "42P07";
pub(super) const DISK_FULL: &str = "53100";
pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
pub(super) const CANNOT_CONNECT_NOW: &str = "57P03";

/// The SQLSTATE of a server's error.
pub(super) fn code(error: &Driver) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
