//! The time from the start of a process until it is of use.

use std::process::{Command, Stdio};
use std::time::Duration;

use holdfast_model::{Clock, SystemClock};

use crate::bench_world::{BenchWorld, holdfast};
use crate::http::{free_port, get};
use crate::report::{Startup, median};

const APPS: usize = 300;
const ROUNDS: usize = 11;

/// Measures `--version`, and `run` until `/readyz` answers 200.
pub(crate) async fn measure() -> Startup {
    let clock = SystemClock::default();
    let version = |_| {
        let before = clock.elapsed();
        let status = Command::new(holdfast()).arg("--version").stdout(Stdio::null()).status().unwrap();
        assert!(status.success());
        milliseconds(clock.elapsed().saturating_sub(before))
    };
    let version_ms = median((0..ROUNDS).map(version).collect());
    let mut ready = Vec::new();
    for _ in 0..ROUNDS {
        ready.push(ready_ms().await);
    }
    Startup { version_ms, ready_ms: median(ready) }
}

/// A new store each time, so that the time includes its migrations.
async fn ready_ms() -> f64 {
    let world = BenchWorld::new(APPS, Duration::from_secs(1)).await;
    let address = free_port().await;
    let clock = SystemClock::default();
    let mut process = world.spawn("run", "run", &[("HOLDFAST_LISTEN", address.to_string())]);
    while get(address, "/readyz").await.is_none_or(|answer| answer.status != "200") {
        assert!(process.lives(), "the process ended by itself");
        let _ = tokio::time::timeout(Duration::from_millis(2), std::future::pending::<()>()).await;
    }
    milliseconds(clock.elapsed())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
