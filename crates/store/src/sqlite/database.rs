//! The file: one connection that writes, and a few that read beside it.

use std::sync::Arc;

use holdfast_model::Clock;
use sqlx::sqlite::{Sqlite, SqlitePool};

use crate::error::Result;
use crate::sql::resting::RestingPool;
use crate::sql::session::Database;
use crate::sql::store::SqlStore;
use crate::sqlite::session::SqliteSession;
use crate::unreadable::UnreadableLog;

/// A store in one SQLite file. Closing it folds the write-ahead log into the file.
pub type SqliteStore = SqlStore<SqliteFile>;

/// One SQLite file. One process owns it, and others may join.
#[derive(Debug)]
pub struct SqliteFile {
    pub(super) clock: Arc<dyn Clock>,
    /// One connection, so that this process has one writing transaction at a time.
    pub(super) writer: RestingPool<Sqlite>,
    pub(super) readers: SqlitePool,
    pub(super) log: UnreadableLog,
}

impl SqliteStore {
    /// Closes all connections.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

impl Database for SqliteFile {
    type Session = SqliteSession;

    async fn read(&self, operation: &'static str) -> Result<SqliteSession> {
        SqliteSession::read(&self.readers, operation, (self.clock.clone(), self.log.clone())).await
    }

    // Each commit of another connection empties the page cache of a reader. That of the connection that writes stays.
    async fn read_own(&self, operation: &'static str) -> Result<SqliteSession> {
        SqliteSession::read_own(&self.writer, operation, (self.clock.clone(), self.log.clone())).await
    }

    async fn write(&self, operation: &'static str) -> Result<SqliteSession> {
        SqliteSession::write(&self.writer, operation, (self.clock.clone(), self.log.clone())).await
    }

    async fn write_singly(&self, operation: &'static str) -> Result<SqliteSession> {
        self.write(operation).await
    }

    async fn within<T: Send>(
        _operation: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        work.await
    }

    fn log(&self) -> &UnreadableLog {
        &self.log
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
