//! What a fleet costs as it grows.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Clock, SystemClock};
use holdfast_queue::MemoryQueue;
use holdfast_scheduler::{Dispatcher, Planner};
use holdfast_store::Store;
use tokio::sync::Notify;

use crate::burst::{LEASE, wide_limits};
use crate::planning::{SqliteFile, fleet, planner};
use crate::plot::{Line, Plot};
use crate::report::{SizeCost, median};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
const ROUNDS: usize = 11;
const BEFORE: &str = "2026-11-23T01:59:00Z";
/// Where the plot is written, from the folder of the tests.
const PLOT: &str = "../docs/images/cost-against-size.svg";

/// Measures each size on a SQLite file, and draws the plot.
pub(crate) async fn measure() -> Vec<SizeCost> {
    let mut costs = Vec::new();
    for apps in SIZES {
        costs.push(cost(apps).await);
    }
    let line = |name, value: fn(&SizeCost) -> f64| Line {
        name,
        points: costs.iter().map(|cost| (cost.apps as f64, value(cost))).collect(),
    };
    let lines = vec![
        line("plan and publish a tick of every app", |cost| cost.tick_ms),
        line("read the status of every app", |cost| cost.status_ms),
        line("a pass in which nothing is due", |cost| cost.idle_pass_ms),
    ];
    std::fs::write(PLOT, Plot { x: "apps", y: "milliseconds", lines }.svg()).unwrap();
    costs
}

async fn cost(apps: usize) -> SizeCost {
    let SqliteFile { clock, store, dir: _dir } = SqliteFile::new(BEFORE).await;
    let store: Arc<dyn Store> = Arc::new(store);
    let mut planner = planner(Arc::clone(&store), fleet(apps, "0 2 * * *"));
    planner.sync().await.unwrap();
    let (queue, rng) = (Arc::new(MemoryQueue::default()), fastrand::Rng::with_seed(1));
    let dispatcher =
        Dispatcher::new(Arc::clone(&store), queue, wide_limits(), LEASE, Arc::new(Notify::new()), rng);
    let mut idle = Vec::new();
    for _ in 0..ROUNDS {
        idle.push(pass_ms(&mut planner, &dispatcher, 0).await);
    }
    clock.set.advance(Duration::from_secs(61));
    let tick_ms = pass_ms(&mut planner, &dispatcher, apps).await;
    let (machine, mut status) = (SystemClock::default(), Vec::new());
    for _ in 0..ROUNDS {
        let before = machine.elapsed();
        assert_eq!(store.status().await.unwrap().len(), apps);
        status.push(milliseconds(machine.elapsed().saturating_sub(before)));
    }
    SizeCost { apps, idle_pass_ms: median(idle), tick_ms, status_ms: median(status) }
}

/// Plans what is due, and publishes until nothing is left.
async fn pass_ms(planner: &mut Planner, dispatcher: &Dispatcher, due: usize) -> f64 {
    let machine = SystemClock::default();
    assert_eq!(planner.plan_due().await.unwrap().runs, due as u64);
    let mut published = 0;
    loop {
        let released = dispatcher.dispatch().await.unwrap().released;
        published += released;
        if released == 0 || published == due {
            break;
        }
    }
    assert_eq!(published, due);
    milliseconds(machine.elapsed())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
