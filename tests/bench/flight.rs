//! The cost of runs that wait for Azure.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Clock, PollPace, StateCode, SystemClock};
use holdfast_store::{Mode, RunFilter, SqliteStore, Store};

use crate::bench_world::BenchWorld;
use crate::options::Options;
use crate::report::InFlight;

/// How long the process is observed.
const WATCHED: Duration = Duration::from_mins(1);

/// When a process has made its first pass of maintenance, which it makes after a minute and then every hour.
const SETTLED: Duration = Duration::from_secs(90);

/// Measures one process on SQLite.
pub(crate) async fn measure(options: &Options) -> InFlight {
    let runs = options.in_flight;
    let world = BenchWorld::new(runs, Duration::from_hours(2)).await;
    let clock = SystemClock::default();
    let path = world.dir.path().join("holdfast.sqlite");
    let store = SqliteStore::open(&path, Arc::new(SystemClock::default()), Mode::Own).await.unwrap();
    // Each run is polled at this pace from the start. Polls of 100,000 every minute would leave no time to bring them into flight.
    let pace = Duration::from_mins(if runs > 10_000 { 10 } else { 1 });
    world.fill(&store, PollPace { first: pace, max: pace }).await;
    let mut process = world.spawn("run", "run", &[]);
    let polling = RunFilter { state: Some(StateCode::Polling), ..RunFilter::default() };
    // Some backups are short, whatever the median.
    while store.runs(&polling).await.unwrap().len() < runs - runs / 50 {
        assert!(process.lives(), "the process ended by itself");
        assert!(clock.elapsed() < Duration::from_mins(30), "the runs do not come into flight");
        wait(Duration::from_secs(5)).await;
    }
    wait(SETTLED.saturating_sub(clock.elapsed())).await;
    let before = process.cpu();
    wait(WATCHED).await;
    let cpu = process.cpu().saturating_sub(before);
    InFlight {
        runs,
        memory_mib: process.memory_now_mib(),
        cpu_percent: 100.0 * cpu.as_secs_f64() / WATCHED.as_secs_f64(),
    }
}

async fn wait(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
