//! The time that pages of the console take over a large fleet with a long history.
//!
//! The history is made by the real planner: an outage, whose missed ticks are runs with their events.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Clock, SystemClock, format_timestamp};
use holdfast_scheduler::Planner;
use holdfast_store::{Mode, PgStore, RunFilter, SqliteStore, Store};
use secrecy::SecretString;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::bench_world::BenchWorld;
use crate::durable_servers::{BenchDatabase, DurableServers};
use crate::http::{Answer, free_port, get};
use crate::planning::{MovingClock, fleet_of, planner, start};
use crate::report::{PageTimes, Pages};

/// Requests of each page.
const REQUESTS: usize = 20;
const SQLITE: Size = Size { apps: 2_000, ticks: 100, copies: 0 };
const POSTGRES: Size = Size { apps: 10_000, ticks: 100, copies: 9 };

/// How large the fleet and its history are.
#[derive(Debug, Clone, Copy)]
struct Size {
    apps: usize,
    /// Runs of each app, each with its event.
    ticks: u32,
    /// How many times all events are written once more.
    copies: u32,
}

/// Measures an embedded process on SQLite.
pub(crate) async fn on_sqlite() -> Pages {
    let world = BenchWorld::new(SQLITE.apps, Duration::from_secs(1)).await;
    let clock = clock_before(SQLITE);
    let path = world.dir.path().join("holdfast.sqlite");
    let store = Arc::new(SqliteStore::open(&path, Arc::clone(&clock) as _, Mode::Own).await.unwrap());
    fill(&world, Arc::clone(&store) as _, &clock, SQLITE).await;
    let paths = paths(&world, &*store).await;
    store.close().await;
    measure("SQLite", SQLITE, &world, &[], paths).await
}

/// Measures a process on PostgreSQL. `None` without servers.
pub(crate) async fn on_postgres() -> Option<Pages> {
    let mut servers = DurableServers::start(Duration::ZERO).await?;
    let database = servers.database().await;
    let world = BenchWorld::new(POSTGRES.apps, Duration::from_secs(1)).await;
    let clock = clock_before(POSTGRES);
    let store = PgStore::connect(&SecretString::from(database.direct.clone()), Mode::Own).await.unwrap();
    let store = Arc::new(store.with_clock(Arc::clone(&clock) as _));
    fill(&world, Arc::clone(&store) as _, &clock, POSTGRES).await;
    copy_events(&database, POSTGRES).await;
    let paths = paths(&world, &*store).await;
    let env = [("HOLDFAST_DATABASE_URL", database.direct.clone()), ("HOLDFAST_AMQP_URL", servers.amqp())];
    Some(measure("PostgreSQL", POSTGRES, &world, &env, paths).await)
}

/// A clock that stands before the outage.
fn clock_before(size: Size) -> Arc<MovingClock> {
    start(&format_timestamp(SystemClock::default().now() - Duration::from_hours(u64::from(size.ticks))))
}

async fn fill(world: &BenchWorld, store: Arc<dyn Store>, clock: &MovingClock, size: Size) {
    let mut planner: Planner = planner(store, fleet_of(world.apps().into_iter(), "0 * * * *"));
    planner.sync().await.unwrap();
    clock.set.advance(Duration::from_hours(u64::from(size.ticks)));
    planner.plan_due().await.unwrap();
}

/// Writes the events again under further numbers, past the triggers that keep the chain whole.
async fn copy_events(database: &BenchDatabase, size: Size) {
    let mut connection = PgConnection::connect(&database.direct).await.unwrap();
    let copy = format!(
        "SET session_replication_role = replica; SET search_path = holdfast;
         INSERT INTO audit_events (seq, at, run_id, app, event, attempt, data, previous, hash)
         SELECT head.seq * copy + events.seq, events.at, run_id, app, event, attempt, data, previous, events.hash
         FROM audit_events AS events, audit_head AS head, generate_series(1, {}) AS copy;
         UPDATE audit_head SET seq = (SELECT max(seq) FROM audit_events);
         ANALYZE audit_events; ANALYZE runs",
        size.copies
    );
    sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut connection).await.unwrap();
}

/// The pages and lists, of which some are about one app or one run.
async fn paths(world: &BenchWorld, store: &dyn Store) -> Vec<String> {
    let app = world.apps().swap_remove(0);
    let newest = RunFilter { app: Some(app.clone()), most: 1, ..RunFilter::default() };
    let run = store.runs(&newest).await.unwrap().swap_remove(0).id;
    let app = app.to_string();
    let fixed = [
        "/",
        "/fleet",
        "/fleet?text=app-1&sort=name",
        "/activity",
        "/activity?outcome=missed",
        "/capacity",
        "/audit",
        "/api/v1/overview",
        "/api/v1/apps",
        "/api/v1/runs",
        "/api/v1/audit",
    ];
    let of_one = [format!("/apps{app}"), format!("/runs/{run}"), format!("/api/v1/apps{app}")];
    fixed.into_iter().map(str::to_owned).chain(of_one).collect()
}

async fn measure(
    database: &'static str,
    size: Size,
    world: &BenchWorld,
    env: &[(&str, String)],
    paths: Vec<String>,
) -> Pages {
    let address = free_port().await;
    let env: Vec<_> = env.iter().cloned().chain([("HOLDFAST_LISTEN", address.to_string())]).collect();
    let mut process = world.spawn("run", "run", &env);
    while get(address, "/").await.is_none_or(|answer| answer.status != "200") {
        assert!(process.lives(), "the process ended by itself");
        let _ = tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>()).await;
    }
    let mut times = Vec::new();
    for path in paths {
        let mut answers: Vec<Answer> = Vec::new();
        for _ in 0..REQUESTS {
            answers.push(get(address, &path).await.unwrap());
        }
        assert!(answers.iter().all(|answer| answer.status == "200"), "{path}: {}", answers[0].status);
        answers.sort_by_key(|answer| answer.time);
        let p95_ms = answers[REQUESTS * 95 / 100].time.as_secs_f64() * 1_000.0;
        let bytes = answers.iter().map(|answer| answer.body_bytes).max().unwrap_or_default();
        times.push(PageTimes { path, p95_ms, bytes });
    }
    let runs = size.apps as u64 * u64::from(size.ticks);
    Pages { database, apps: size.apps, runs, events: runs * u64::from(1 + size.copies), times }
}
