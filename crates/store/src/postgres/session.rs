//! Connections, transactions, and what the driver's errors mean.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::{Error as Driver, Executor};

use crate::Error;

/// How long an operation may take in all. The server ends a statement sooner; this is for a network that has gone
/// silent, where nobody tells.
const OPERATION_LIMIT: Duration = Duration::from_secs(30);

/// Ends an operation that hears nothing any more.
pub(super) async fn within<T>(
    operation: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(OPERATION_LIMIT, work).await.unwrap_or_else(|_| {
        let silent = std::io::Error::new(std::io::ErrorKind::TimedOut, "the server did not answer in time");
        Err(Error::Driver { operation, source: Driver::Io(silent) })
    })
}

/// A connection for one operation. One that is left in the middle of its work is closed and never used again, because
/// nobody knows what it would answer next.
pub(super) struct Session {
    connection: PoolConnection<Postgres>,
    operation: &'static str,
    in_transaction: bool,
    answered: bool,
}

impl Session {
    pub async fn open(pool: &PgPool, operation: &'static str) -> Result<Self, Error> {
        let connection = pool.acquire().await.during(operation)?;
        Ok(Self { connection, operation, in_transaction: false, answered: false })
    }

    pub async fn begin(mut self) -> Result<Self, Error> {
        let begun = self.connection.execute("/* begin */ BEGIN").await;
        begun.during(self.operation)?;
        self.in_transaction = true;
        Ok(self)
    }

    /// Ends the transaction, if there is one, as the answer demands.
    pub async fn answer<T>(mut self, answer: Result<T, Error>) -> Result<T, Error> {
        if self.in_transaction {
            let end = if answer.is_ok() { "/* answer */ COMMIT" } else { "/* answer */ ROLLBACK" };
            let ended = self.connection.execute(end).await.during(self.operation);
            if answer.is_ok() {
                ended?;
            }
        }
        self.answered = true;
        answer
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.answered {
            self.connection.close_on_drop();
        }
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Names the operation that a driver's error failed.
pub(super) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T, Error>;
}

impl<T> During<T> for Result<T, Driver> {
    fn during(self, operation: &'static str) -> Result<T, Error> {
        self.map_err(|source| match code(&source).as_deref() {
            Some(DISK_FULL) => Error::Full { operation, source },
            Some(READ_ONLY) => Error::ReadOnly { operation, source },
            _ if matches!(source, Driver::ColumnDecode { .. } | Driver::Decode(_)) => {
                Error::Inconsistent { operation, what: source.to_string() }
            }
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
pub(super) const TABLE_EXISTS: &str = "42P07";
pub(super) const DISK_FULL: &str = "53100";
pub(super) const TOO_MANY_CONNECTIONS: &str = "53300";
pub(super) const CANNOT_CONNECT_NOW: &str = "57P03";

/// The SQLSTATE that the server told.
pub(super) fn code(error: &Driver) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
