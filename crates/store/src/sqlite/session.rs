//! A connection for one operation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use holdfast_model::{Clock, Timestamp};
use serde_json::json as object;
use sqlx::Executor;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqlitePool};

use crate::columns::stamp;
use crate::error::Result;
use crate::rules::acquire::{Candidate, Page};
use crate::sql::arg::{Arg, time_text};
use crate::sql::candidates::{Asked, by_lane};
use crate::sql::dialect::Dialect;
use crate::sql::reading::fetch_readable;
use crate::sql::resting::{Leased, RestingPool};
use crate::sql::row::{FromRow, read_one};
use crate::sql::session::{Session, told};
use crate::sqlite::dialect;
use crate::sqlite::driver::During;
use crate::unreadable::UnreadableLog;

/// A connection for one operation.
pub(crate) struct SqliteSession {
    connection: Connection,
    operation: &'static str,
    clock: Arc<dyn Clock>,
    log: UnreadableLog,
}

enum Connection {
    Reading(PoolConnection<Sqlite>),
    /// The connection that writes.
    Own {
        connection: Leased<Sqlite>,
        in_transaction: bool,
    },
}

impl SqliteSession {
    pub(super) async fn read(
        pool: &SqlitePool,
        operation: &'static str,
        (clock, log): (Arc<dyn Clock>, UnreadableLog),
    ) -> Result<Self> {
        let connection = Connection::Reading(pool.acquire().await.during(operation)?);
        Ok(Self { connection, operation, clock, log })
    }

    /// Reads on the connection that writes.
    pub(super) async fn read_own(
        pool: &RestingPool<Sqlite>,
        operation: &'static str,
        (clock, log): (Arc<dyn Clock>, UnreadableLog),
    ) -> Result<Self> {
        let connection = own(pool).await.during(operation)?;
        let connection = Connection::Own { connection, in_transaction: false };
        Ok(Self { connection, operation, clock, log })
    }

    /// Begins a transaction that holds the write lock from its start.
    ///
    /// A transaction that acquires the lock later could fail after it has read.
    pub(super) async fn write(
        pool: &RestingPool<Sqlite>,
        operation: &'static str,
        (clock, log): (Arc<dyn Clock>, UnreadableLog),
    ) -> Result<Self> {
        let mut connection = own(pool).await.during(operation)?;
        connection.execute("/* begin */ BEGIN IMMEDIATE").await.during(operation)?;
        let connection = Connection::Own { connection, in_transaction: true };
        Ok(Self { connection, operation, clock, log })
    }

    fn connection(&mut self) -> &mut SqliteConnection {
        match &mut self.connection {
            Connection::Reading(connection) => connection,
            Connection::Own { connection, .. } => connection,
        }
    }
}

/// The connection that writes, once no other operation uses it. It needs no network, so it is always trusted.
pub(super) async fn own(pool: &RestingPool<Sqlite>) -> sqlx::Result<Leased<Sqlite>> {
    let turn = pool.turn().await?;
    let connection = match turn.rested(Duration::MAX) {
        Some(connection) => connection,
        None => pool.pool.acquire().await?,
    };
    Ok(turn.with(connection))
}

impl Session for SqliteSession {
    const DIALECT: Dialect = dialect::DIALECT;

    fn operation(&self) -> &'static str {
        self.operation
    }

    fn unreadable_log(&self) -> &UnreadableLog {
        &self.log
    }

    async fn now(&mut self) -> Result<Timestamp> {
        Ok(self.now_beside(None))
    }

    fn now_beside(&self, _by_database: Option<Timestamp>) -> Timestamp {
        stamp(self.clock.now())
    }

    async fn lock(&mut self, _names: Vec<String>) -> Result<()> {
        Ok(())
    }

    async fn fetch_each<T: FromRow>(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Vec<Result<T>>> {
        let (operation, log, mut read) = (self.operation, self.log.clone(), Vec::new());
        // Each row is read as it comes: the driver's rows take several times as much memory.
        let mut rows = query(sql, args).fetch(self.connection());
        while let Some(row) = rows.try_next().await.during(operation)? {
            read.push(read_one(&row, operation, &log));
        }
        Ok(read)
    }

    async fn execute(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64> {
        let operation = self.operation;
        let done = query(sql, args).execute(self.connection()).await.during(operation)?;
        Ok(done.rows_affected())
    }

    // A limit is the same for all rows of a statement, so lanes with the same page are read together.
    async fn candidates(&mut self, asked: &[Asked<'_>], now: Timestamp) -> Result<Vec<Vec<Candidate>>> {
        let mut of_pages: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for (place, (lane, page)) in asked.iter().enumerate() {
            let row = object!({ "place": place, "lane": lane.to_string() });
            of_pages.entry(page.skip.saturating_add(page.most)).or_default().push(row);
        }
        let mut fronts = Vec::new();
        for (most, rows) in of_pages {
            let args = vec![Arg::json(&rows), Arg::Time(now), Arg::Int(i64::from(most))];
            fronts.extend(fetch_readable(self, dialect::CANDIDATES, args).await?);
        }
        let mut lanes = by_lane(fronts, asked.len());
        for (candidates, (_, Page { skip, most })) in lanes.iter_mut().zip(asked) {
            candidates.truncate(skip.saturating_add(*most) as usize);
            candidates.drain(..candidates.len().min(*skip as usize));
        }
        Ok(lanes)
    }

    async fn end<T: Send>(self, result: Result<T>) -> Result<T> {
        let Connection::Own { mut connection, in_transaction } = self.connection else { return result };
        if in_transaction {
            let end = if result.is_ok() { "/* end */ COMMIT" } else { "/* end */ ROLLBACK" };
            let ended = connection.execute(end).await.during(self.operation);
            // SQLite may have rolled back by itself, when the disk was full. What is not committed is rolled back when its
            // connection closes.
            if result.is_ok() {
                ended?;
            }
        }
        connection.rest();
        result
    }
}

fn query(sql: &'static str, args: Vec<Arg>) -> Query<'static, Sqlite, SqliteArguments> {
    told(sql);
    args.into_iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Int(value) => query.bind(value),
        Arg::Bool(value) => query.bind(value),
        Arg::Float(value) => query.bind(value),
        Arg::Text(value) => query.bind(value),
        Arg::MaybeText(value) => query.bind(value),
        Arg::Time(value) => query.bind(time_text(value)),
        Arg::MaybeTime(value) => query.bind(value.map(time_text)),
        Arg::Id(value) => query.bind(value.to_string()),
    })
}
