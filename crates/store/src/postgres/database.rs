//! The database: sessions on a pool of connections, with a limit on the time of each operation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::Clock;

use crate::error::{Error, Result};
use crate::postgres::connections::Connections;
use crate::postgres::session::PgSession;
use crate::sql::session::Database;
use crate::sql::store::SqlStore;
use crate::unreadable::UnreadableLog;

/// A store in a PostgreSQL database. Its time is the database's, because the machines that share it differ.
pub type PgStore = SqlStore<Postgres>;

/// The limit of an operation. The server ends a statement sooner; this limit is for a network that no longer responds.
const OPERATION_LIMIT: Duration = Duration::from_secs(30);

/// A PostgreSQL database.
pub struct Postgres {
    /// The database as people know it.
    pub(super) place: String,
    pub(super) connections: Connections,
    /// Replaces the database's clock in tests.
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) log: UnreadableLog,
}

impl PgStore {
    /// Closes all connections.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// The store with `clock` in place of the database's, for tests that set the time.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.database.clock = Some(clock);
        self
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Database for Postgres {
    type Session = PgSession;

    async fn read(&self, operation: &'static str) -> Result<PgSession> {
        PgSession::open(&self.connections, operation, (self.clock.clone(), self.log.clone())).await
    }

    async fn read_own(&self, operation: &'static str) -> Result<PgSession> {
        self.read(operation).await
    }

    async fn write(&self, operation: &'static str) -> Result<PgSession> {
        self.read(operation).await?.begin().await
    }

    async fn write_singly(&self, operation: &'static str) -> Result<PgSession> {
        self.read(operation).await
    }

    async fn within<T: Send>(
        operation: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        tokio::time::timeout(OPERATION_LIMIT, work).await.unwrap_or_else(|_| {
            let silent =
                std::io::Error::new(std::io::ErrorKind::TimedOut, "the server did not answer in time");
            Err(Error::Driver { operation, source: sqlx::Error::Io(silent) })
        })
    }

    fn log(&self) -> &UnreadableLog {
        &self.log
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}
