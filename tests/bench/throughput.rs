//! The throughput of due runs: embedded, distributed, and what it is compared with, in alternation.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Clock, PollPace, SystemClock};
use holdfast_store::{Mode, PgStore, SqliteStore};
use secrecy::SecretString;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::bench_world::{BenchWorld, Process};
use crate::durable_servers::{BenchDatabase, DurableServers};
use crate::options::Options;
use crate::report::{Throughput, median};
use crate::{bare_loop, celery, neighbour};

pub(crate) const POLL: PollPace = PollPace { first: Duration::from_millis(100), max: Duration::from_secs(1) };

/// The figures of one round.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub seconds: f64,
    /// Commits of runs.
    pub steps: f64,
    pub peak_memory_mib: f64,
    /// Processor time of the measured processes, without the servers.
    pub cpu_seconds: f64,
    pub wal_bytes: f64,
    pub duplicate_posts: u64,
}

/// Measures all forms. Those with servers are left out where there are none.
pub(crate) async fn measure(options: &Options) -> Vec<Throughput> {
    let mut servers = DurableServers::start(options.db_latency).await;
    let mut forms: Vec<(String, usize, Vec<Round>)> = Vec::new();
    let mut add = |name: String, processes: usize, round: Round| {
        println!("{name}: {:.0} runs/s", options.runs as f64 / round.seconds);
        match forms.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, rounds)) => rounds.push(round),
            None => forms.push((name, processes, vec![round])),
        }
    };
    for _ in 0..options.rounds {
        add("embedded".into(), 1, embedded_round(options).await);
        let Some(servers) = &mut servers else { continue };
        let (processes, round) = (1 + options.workers, distributed_round(options, servers).await);
        add(format!("distributed, {} workers", options.workers), processes, round);
        add("bare loop".into(), 1, bare_loop::round(options, servers).await);
        let Some(python) = celery::interpreter() else { continue };
        for processes in [8, 16] {
            let round = celery::round(&python, processes, options, servers).await;
            add(format!("Celery, {processes} processes"), processes, round);
        }
    }
    let ms = match &mut servers {
        Some(servers) => servers.database().await.round_trip_ms().await,
        None => 0.0,
    };
    forms.into_iter().map(|form| summary(options.runs, ms, form)).collect()
}

async fn embedded_round(options: &Options) -> Round {
    embedded_round_beside(options, 0).await
}

/// A round of the embedded form, beside due runs of another subscription that wait for its closed budget.
pub(crate) async fn embedded_round_beside(options: &Options, waiting: usize) -> Round {
    let world = BenchWorld::new(options.runs, Duration::from_millis(1)).await;
    let path = world.dir.path().join("holdfast.sqlite");
    let store = SqliteStore::open(&path, Arc::new(SystemClock::default()), Mode::Own).await.unwrap();
    world.fill(&store, POLL).await;
    neighbour::add_waiting(&store, waiting).await;
    store.close().await;
    let process = world.spawn("run", "run", &[]);
    round(&world, Ended::in_file(&path).await, options.runs, vec![process]).await
}

async fn distributed_round(options: &Options, servers: &mut DurableServers) -> Round {
    let database = servers.database().await;
    let world = BenchWorld::new(options.runs, Duration::from_millis(1)).await;
    let store = PgStore::connect(&SecretString::from(database.direct.clone()), Mode::Own).await.unwrap();
    world.fill(&store, POLL).await;
    store.close().await;
    let before = database.wal_bytes().await;
    let env = [("HOLDFAST_DATABASE_URL", database.remote.clone()), ("HOLDFAST_AMQP_URL", servers.amqp())];
    let mut processes: Vec<Process> =
        (0..options.workers).map(|n| world.spawn("worker", &format!("worker{n}"), &env)).collect();
    processes.push(world.spawn("scheduler", "scheduler", &env));
    let round = round(&world, Ended::in_database(&database).await, options.runs, processes).await;
    let wal_bytes = database.wal_bytes().await - before;
    if options.wants_statements {
        database.print_statements().await;
    }
    Round { wal_bytes, ..round }
}

/// Waits until all runs have ended. The time counts from the start of the processes.
async fn round(world: &BenchWorld, mut ended: Ended, runs: usize, mut processes: Vec<Process>) -> Round {
    let clock = SystemClock::default();
    loop {
        let (count, steps) = ended.read().await;
        if count == i64::try_from(runs).unwrap() {
            let sum = |value: fn(&Process) -> f64| processes.iter().map(value).sum::<f64>();
            return Round {
                seconds: clock.elapsed().as_secs_f64(),
                steps: steps as f64,
                peak_memory_mib: processes.iter().map(Process::peak_memory_mib).fold(0.0, f64::max),
                cpu_seconds: sum(|process| process.cpu().as_secs_f64()),
                wal_bytes: 0.0,
                duplicate_posts: world.duplicate_posts(),
            };
        }
        assert!(processes.iter_mut().all(Process::lives), "a process ended by itself");
        assert!(clock.elapsed() < Duration::from_mins(2), "only {count} runs ended");
        let _ = tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await;
    }
}

/// Reads how many runs have ended, and the sum of their steps.
enum Ended {
    File(SqliteConnection),
    Database(PgConnection),
}

impl Ended {
    async fn in_file(path: &Path) -> Self {
        Self::File(SqliteConnectOptions::new().filename(path).connect().await.unwrap())
    }

    async fn in_database(database: &BenchDatabase) -> Self {
        Self::Database(PgConnection::connect(&database.direct).await.unwrap())
    }

    async fn read(&mut self) -> (i64, i64) {
        // A run starts at version 1, and each committed step adds one.
        match self {
            Self::File(file) => {
                let sql = "SELECT count(*), coalesce(sum(version - 1), 0) FROM runs WHERE state = 'ended' AND kind = 'backup'";
                sqlx::query_as(sql).fetch_one(file).await.unwrap()
            }
            Self::Database(database) => {
                let sql = "SELECT count(*), coalesce(sum(version - 1), 0)::bigint FROM holdfast.runs
                    WHERE state = 'ended' AND kind = 'backup'";
                sqlx::query_as(sql).fetch_one(database).await.unwrap()
            }
        }
    }
}

fn summary(
    runs: usize,
    round_trip_ms: f64,
    (name, processes, rounds): (String, usize, Vec<Round>),
) -> Throughput {
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
    let seconds = of(|round| round.seconds);
    Throughput {
        name,
        runs,
        rounds: rounds.len(),
        processes,
        round_trip_ms,
        seconds,
        runs_per_second: runs as f64 / seconds,
        steps_per_second: of(|round| round.steps / round.seconds),
        cpu_ms_per_run: of(|round| round.cpu_seconds) * 1_000.0 / runs as f64,
        wal_kib_per_step: of(|round| round.wal_bytes / round.steps.max(1.0)) / 1_024.0,
        peak_memory_mib: of(|round| round.peak_memory_mib),
        duplicate_posts: rounds.iter().map(|round| round.duplicate_posts).sum(),
    }
}
