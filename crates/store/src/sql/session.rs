//! What a database must provide to carry out the operations of a store.

use std::fmt::Debug;

use holdfast_model::Timestamp;

use crate::error::{Error, Result};
use crate::rules::acquire::Candidate;
use crate::sql::arg::Arg;
use crate::sql::candidates::Asked;
use crate::sql::dialect::Dialect;
use crate::sql::row::FromRow;
use crate::unreadable::UnreadableLog;

/// A database that sessions are opened on.
pub(crate) trait Database: Debug + Send + Sync + 'static {
    /// A connection for one operation.
    type Session: Session;

    /// Opens a session that only reads.
    fn read(&self, operation: &'static str) -> impl Future<Output = Result<Self::Session>> + Send;

    /// Opens a session that reads what this process has just written, where the database may keep it in memory.
    fn read_own(&self, operation: &'static str) -> impl Future<Output = Result<Self::Session>> + Send;

    /// Opens a session in a transaction that writes.
    fn write(&self, operation: &'static str) -> impl Future<Output = Result<Self::Session>> + Send;

    /// Opens a session whose writing statements are transactions of their own, where the database is shared.
    fn write_singly(&self, operation: &'static str) -> impl Future<Output = Result<Self::Session>> + Send;

    /// Bounds the time of an operation.
    fn within<T: Send>(
        operation: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> impl Future<Output = Result<T>> + Send;

    /// Where unreadable rows are logged.
    fn log(&self) -> &UnreadableLog;

    /// Closes all connections.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// Tells those who count statements, such as a test of pages, of each.
pub(crate) fn told(sql: &'static str) {
    tracing::trace!(target: "holdfast_store::statement", sql);
}

/// A connection for one operation.
pub(crate) trait Session: Send {
    /// The statements that differ between the databases.
    const DIALECT: Dialect;

    /// The name of the operation in errors.
    fn operation(&self) -> &'static str;

    /// The store's time once the connection answers, thus after the locks that it holds.
    fn now(&mut self) -> impl Future<Output = Result<Timestamp>> + Send;

    /// The store's time, given the time that a statement returned beside its rows.
    fn now_beside(&self, by_database: Option<Timestamp>) -> Timestamp;

    /// Locks names until the transaction ends, against other transactions that lock them. A database with one writer
    /// at a time has nothing to do.
    fn lock(&mut self, names: Vec<String>) -> impl Future<Output = Result<()>> + Send;

    /// Where unreadable rows are logged.
    fn unreadable_log(&self) -> &UnreadableLog;

    /// Runs a statement and reads each of its rows.
    fn fetch_each<T: FromRow>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> impl Future<Output = Result<Vec<Result<T>>>> + Send;

    /// Runs a statement and reads its rows. Fails when one of them cannot be read.
    fn fetch<T: FromRow>(
        &mut self,
        sql: &'static str,
        args: Vec<Arg>,
    ) -> impl Future<Output = Result<Vec<T>>> + Send {
        async move { self.fetch_each(sql, args).await?.into_iter().collect() }
    }

    /// Runs a statement and returns how many rows it affected.
    fn execute(&mut self, sql: &'static str, args: Vec<Arg>) -> impl Future<Output = Result<u64>> + Send;

    /// Reads the due runs of each lane, by priority, then by due time, then by id.
    ///
    /// Each priority is read apart, so that runs that are due later in one are not read on the way to the next.
    fn candidates(
        &mut self,
        asked: &[Asked<'_>],
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Vec<Candidate>>>> + Send;

    /// Ends the session, and its transaction as the result demands.
    fn end<T: Send>(self, result: Result<T>) -> impl Future<Output = Result<T>> + Send;
}

/// Reads at most one row.
pub(crate) async fn fetch_optional<T: FromRow>(
    session: &mut impl Session,
    sql: &'static str,
    args: Vec<Arg>,
) -> Result<Option<T>> {
    Ok(session.fetch(sql, args).await?.into_iter().next())
}

/// Reads the one row that a statement always returns.
pub(crate) async fn fetch_one<T: FromRow>(
    session: &mut impl Session,
    sql: &'static str,
    args: Vec<Arg>,
) -> Result<T> {
    let operation = session.operation();
    let row = fetch_optional(session, sql, args).await?;
    row.ok_or_else(|| Error::Driver { operation, source: sqlx::Error::RowNotFound })
}
