//! PostgreSQL and RabbitMQ as in production: a commit is on the disk before it is confirmed.

use std::time::Duration;

use holdfast_model::{Clock, SystemClock};
use holdfast_tests::servers::Servers;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use url::Url;

use crate::latency::Latency;

/// The servers of a measurement.
pub(crate) struct DurableServers {
    postgres: Servers,
    rabbitmq: Servers,
    latency: Option<Latency>,
    count: u32,
}

impl DurableServers {
    /// Starts the servers. `round_trip` is added to each exchange with PostgreSQL. `None` without servers.
    pub(crate) async fn start(round_trip: Duration) -> Option<Self> {
        let durable = [
            "fsync=on",
            "full_page_writes=on",
            "synchronous_commit=on",
            "shared_preload_libraries=pg_stat_statements",
        ];
        let postgres = Servers::start(&["postgres"], &durable)?;
        let rabbitmq = Servers::start(&["rabbitmq"], &[])?;
        let port = postgres.fact("postgres", "url").parse::<Url>().unwrap().port().unwrap();
        let latency = if round_trip.is_zero() { None } else { Some(Latency::before(port, round_trip).await) };
        Some(Self { postgres, rabbitmq, latency, count: 0 })
    }

    /// The URL of RabbitMQ.
    pub(crate) fn amqp(&self) -> String {
        self.rabbitmq.fact("rabbitmq", "url").to_owned()
    }

    /// Creates an empty database.
    pub(crate) async fn database(&mut self) -> BenchDatabase {
        self.count += 1;
        let name = format!("bench_{}", self.count);
        let mut server = PgConnection::connect(self.postgres.fact("postgres", "url")).await.unwrap();
        for sql in [format!("CREATE DATABASE {name}"), "CHECKPOINT".to_owned()] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut server).await.unwrap();
        }
        let mut direct: Url = self.postgres.fact("postgres", "url").parse().unwrap();
        direct.set_path(&name);
        let mut remote = direct.clone();
        if let Some(latency) = &self.latency {
            remote.set_port(Some(latency.port())).unwrap();
        }
        BenchDatabase { direct: direct.to_string(), remote: remote.to_string() }
    }
}

/// A database of one round.
pub(crate) struct BenchDatabase {
    /// Without the additional round trip.
    pub direct: String,
    /// As the measured processes reach it.
    pub remote: String,
}

impl BenchDatabase {
    /// The bytes that the server has written to its log so far.
    pub(crate) async fn wal_bytes(&self) -> f64 {
        let mut connection = PgConnection::connect(&self.direct).await.unwrap();
        let (bytes,): (f64,) = sqlx::query_as("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        bytes
    }

    /// Prints the statements that took the server longest, and how many transactions appended to the audit.
    pub(crate) async fn print_statements(&self) {
        let mut connection = PgConnection::connect(&self.direct).await.unwrap();
        let extension = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public";
        sqlx::raw_sql(extension).execute(&mut connection).await.unwrap();
        let longest: Vec<(String, i64, f64)> = sqlx::query_as(
            "SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 60), calls, total_exec_time
             FROM public.pg_stat_statements
             WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
             ORDER BY total_exec_time DESC LIMIT 14",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        for (statement, calls, ms) in longest {
            println!("{ms:>8.0} ms {calls:>7} x {:>7.3} ms  {statement}", ms / calls as f64);
        }
    }

    /// The median time of a statement that reads nothing, in milliseconds.
    pub(crate) async fn round_trip_ms(&self) -> f64 {
        let mut connection = PgConnection::connect(&self.remote).await.unwrap();
        let clock = SystemClock::default();
        let mut times = Vec::new();
        for _ in 0..50 {
            let before = clock.elapsed();
            sqlx::query("SELECT 1").execute(&mut connection).await.unwrap();
            times.push(clock.elapsed().saturating_sub(before).as_secs_f64() * 1_000.0);
        }
        crate::report::median(times)
    }
}
