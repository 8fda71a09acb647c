//! A connection for one operation.

use std::sync::Arc;

use futures::TryStreamExt;
use holdfast_model::{Clock, Timestamp};
use serde_json::json as object;
use sqlx::Executor;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;

use crate::columns::stamp;
use crate::error::Result;
use crate::postgres::connections::Connections;
use crate::postgres::dialect;
use crate::postgres::driver::During;
use crate::rules::acquire::{Candidate, Page};
use crate::sql::arg::Arg;
use crate::sql::candidates::{Asked, by_lane};
use crate::sql::dialect::Dialect;
use crate::sql::reading::fetch_readable;
use crate::sql::resting::Leased;
use crate::sql::row::{FromRow, Row, read_one};
use crate::sql::session::{Session, fetch_one, told};
use crate::unreadable::UnreadableLog;

/// A connection for one operation.
pub(crate) struct PgSession {
    connection: Leased<Postgres>,
    operation: &'static str,
    clock: Option<Arc<dyn Clock>>,
    log: UnreadableLog,
    in_transaction: bool,
}

impl PgSession {
    pub(super) async fn open(
        connections: &Connections,
        operation: &'static str,
        (clock, log): (Option<Arc<dyn Clock>>, UnreadableLog),
    ) -> Result<Self> {
        let connection = connections.acquire(operation).await?;
        Ok(Self { connection, operation, clock, log, in_transaction: false })
    }

    pub(super) async fn begin(mut self) -> Result<Self> {
        let begun = self.connection.execute("/* begin */ BEGIN").await;
        begun.during(self.operation)?;
        self.in_transaction = true;
        Ok(self)
    }
}

/// The time of the database's clock.
struct Now(Timestamp);

impl FromRow for Now {
    const KEY: &'static [&'static str] = &[];

    fn read(row: &Row<'_>) -> Result<Self> {
        row.time("now").map(Self)
    }
}

impl Session for PgSession {
    const DIALECT: Dialect = dialect::DIALECT;

    fn operation(&self) -> &'static str {
        self.operation
    }

    fn unreadable_log(&self) -> &UnreadableLog {
        &self.log
    }

    async fn now(&mut self) -> Result<Timestamp> {
        if let Some(clock) = &self.clock {
            return Ok(stamp(clock.now()));
        }
        let Now(now) = fetch_one(self, "/* now */ SELECT clock_timestamp() AS now", Vec::new()).await?;
        Ok(stamp(now))
    }

    fn now_beside(&self, by_database: Option<Timestamp>) -> Timestamp {
        let now = self.clock.as_ref().map(|clock| clock.now());
        stamp(now.or(by_database).unwrap_or_default())
    }

    async fn lock(&mut self, names: Vec<String>) -> Result<()> {
        let lock = "/* lock */ SELECT pg_catalog.pg_advisory_xact_lock(
                pg_catalog.hashtextextended(wanted.name, 0::bigint))
            FROM pg_catalog.json_array_elements_text($1::json) AS wanted (name)";
        self.execute(lock, vec![Arg::json(&names)]).await.map(drop)
    }

    async fn fetch_each<T: FromRow>(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Vec<Result<T>>> {
        let (operation, mut read) = (self.operation, Vec::new());
        // Each row is read as it comes: the driver's rows take several times as much memory.
        let mut rows = query(sql, args).fetch(&mut *self.connection);
        while let Some(row) = rows.try_next().await.during(operation)? {
            read.push(read_one(&row, operation, &self.log));
        }
        Ok(read)
    }

    async fn execute(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64> {
        let done = query(sql, args).execute(&mut *self.connection).await.during(self.operation)?;
        Ok(done.rows_affected())
    }

    async fn candidates(&mut self, asked: &[Asked<'_>], now: Timestamp) -> Result<Vec<Vec<Candidate>>> {
        let row = |(place, (lane, Page { skip, most })): (usize, &Asked<'_>)| object!({ "place": place, "lane": lane.to_string(), "skip": skip, "most": most });
        let rows: Vec<_> = asked.iter().enumerate().map(row).collect();
        let args = vec![Arg::json(&rows), Arg::Time(now)];
        Ok(by_lane(fetch_readable(self, dialect::CANDIDATES, args).await?, asked.len()))
    }

    async fn end<T: Send>(mut self, result: Result<T>) -> Result<T> {
        if self.in_transaction {
            let end = if result.is_ok() { "/* end */ COMMIT" } else { "/* end */ ROLLBACK" };
            let ended = self.connection.execute(end).await.during(self.operation);
            if result.is_ok() {
                ended?;
            }
        }
        match result {
            Ok(_) => self.connection.rest(),
            Err(_) => self.connection.give_back(),
        }
        result
    }
}

fn query(sql: &'static str, args: Vec<Arg>) -> Query<'static, Postgres, PgArguments> {
    told(sql);
    args.into_iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Int(value) => query.bind(value),
        Arg::Bool(value) => query.bind(value),
        Arg::Float(value) => query.bind(value),
        Arg::Text(value) => query.bind(value),
        Arg::MaybeText(value) => query.bind(value),
        Arg::Time(value) => query.bind(value),
        Arg::MaybeTime(value) => query.bind(value),
        Arg::Id(value) => query.bind(value.as_uuid()),
    })
}
