//! The throughput of due runs, embedded and distributed in alternation.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Clock, PollPace, Run, StateCode, SystemClock};
use holdfast_store::{Mode, PgStore, RunFilter, SqliteStore, Store};
use holdfast_tests::postgres::Database;
use secrecy::ExposeSecret;

use crate::bench_world::{BenchWorld, Process};
use crate::report::{Throughput, median};

const RUNS: usize = 2_000;
const ROUNDS: usize = 3;
/// The processes of the distributed form.
const ROLES: [&str; 3] = ["scheduler", "worker", "worker"];
const POLL: PollPace = PollPace { first: Duration::from_millis(100), max: Duration::from_secs(1) };

struct Round {
    seconds: f64,
    steps: f64,
    peak_memory_mib: f64,
    duplicate_posts: u64,
}

/// Measures both forms; the distributed one only with servers.
pub(crate) async fn measure() -> (Throughput, Option<Throughput>) {
    let (mut embedded, mut distributed) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        embedded.push(embedded_round().await);
        distributed.extend(distributed_round().await);
    }
    (summary(&embedded, 1), (!distributed.is_empty()).then(|| summary(&distributed, ROLES.len())))
}

async fn embedded_round() -> Round {
    let world = BenchWorld::new(RUNS, Duration::from_millis(1)).await;
    let path = world.dir.path().join("holdfast.sqlite");
    let store = SqliteStore::open(&path, Arc::new(SystemClock::default()), Mode::Own).await.unwrap();
    world.fill(&store, POLL).await;
    let process = world.spawn("run", &[]);
    round(&world, &store, vec![process]).await
}

async fn distributed_round() -> Option<Round> {
    let (database, amqp) = (Database::new().await?, holdfast_tests::service("HOLDFAST_TEST_AMQP_URL")?);
    let world = BenchWorld::new(RUNS, Duration::from_millis(1)).await;
    let store = PgStore::connect(&database.url(), Mode::Own).await.unwrap();
    world.fill(&store, POLL).await;
    let url = database.url().expose_secret().to_owned();
    let env = [("HOLDFAST_DATABASE_URL", url), ("HOLDFAST_AMQP_URL", amqp)];
    let processes = ROLES.iter().map(|role| world.spawn(role, &env)).collect();
    let round = round(&world, &store, processes).await;
    store.close().await;
    Some(round)
}

async fn round(world: &BenchWorld, store: &dyn Store, mut processes: Vec<Process>) -> Round {
    let clock = SystemClock::default();
    let ended = RunFilter { state: Some(StateCode::Ended), ..RunFilter::default() };
    let mut runs: Vec<Run> = Vec::new();
    while runs.len() < RUNS {
        assert!(processes.iter_mut().all(Process::lives), "a process ended by itself");
        assert!(clock.elapsed() < Duration::from_mins(5), "only {} runs ended", runs.len());
        let _ = tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await;
        runs = store.runs(&ended).await.unwrap();
    }
    let seconds = clock.elapsed().as_secs_f64();
    // A run starts at version 1, and each committed step adds one.
    let steps: i64 = runs.iter().map(|run| run.version - 1).sum();
    let peak = processes.iter().map(Process::peak_memory_mib).fold(0.0, f64::max);
    let steps = f64::from(i32::try_from(steps).unwrap());
    Round { seconds, steps, peak_memory_mib: peak, duplicate_posts: world.duplicate_posts() }
}

fn summary(rounds: &[Round], processes: usize) -> Throughput {
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
    let runs = f64::from(u32::try_from(RUNS).unwrap());
    Throughput {
        runs: RUNS,
        rounds: rounds.len(),
        processes,
        seconds: of(|round| round.seconds),
        runs_per_second: runs / of(|round| round.seconds),
        steps_per_second: of(|round| round.steps / round.seconds),
        peak_memory_mib: of(|round| round.peak_memory_mib),
        duplicate_posts: rounds.iter().map(|round| round.duplicate_posts).sum(),
    }
}
