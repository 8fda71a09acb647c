//! Transactions, and what the driver's errors mean.

use std::ops::{Deref, DerefMut};

use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use sqlx::{Error as Driver, Transaction};

use crate::Error;

/// A transaction that holds the write lock from its start: one that took it later could fail after it has read.
pub(super) struct Writing {
    tx: Transaction<'static, Sqlite>,
    operation: &'static str,
}

impl Writing {
    pub async fn begin(pool: &SqlitePool, operation: &'static str) -> Result<Self, Error> {
        let tx = pool.begin_with("BEGIN IMMEDIATE").await.during(operation)?;
        Ok(Self { tx, operation })
    }

    /// Makes it durable. Dropped without this, it is rolled back.
    pub async fn commit(self) -> Result<(), Error> {
        self.tx.commit().await.during(self.operation)
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.tx
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}

/// Names the operation that a driver's error failed.
pub(super) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T, Error>;
}

impl<T> During<T> for Result<T, Driver> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| match primary_code(&source) {
            Some(FULL) => Error::Full { operation, source },
            Some(READ_ONLY) => Error::ReadOnly { operation, source },
            _ if matches!(source, Driver::ColumnDecode { .. } | Driver::Decode(_)) => {
                Error::Inconsistent { operation, what: source.to_string() }
            }
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

/// SQLite's primary result code: the low byte of the extended one that the driver tells.
pub(super) fn primary_code(error: &Driver) -> Option<i32> {
    let code = error.as_database_error()?.code()?.parse::<i32>().ok()?;
    Some(code & 0xff)
}
