//! The time from a tick of a large fleet until every step is published.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Budget, Clock, Limits, SystemClock};
use holdfast_queue::{AmqpQueue, Config, MemoryQueue, Queue};
use holdfast_scheduler::Dispatcher;
use holdfast_store::{Mode, PgStore, Store};
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::durable_servers::DurableServers;
use crate::planning::{MovingClock, SqliteFile, fleet, planner, start};
use crate::report::Burst;

const APPS: usize = 50_000;
const BEFORE: &str = "2026-11-23T01:59:00Z";
pub(crate) const LEASE: Duration = Duration::from_mins(10);

/// Measures SQLite with the queue in memory.
pub(crate) async fn embedded() -> Burst {
    let file = SqliteFile::new(BEFORE).await;
    measure("embedded", Arc::new(file.store), Arc::new(MemoryQueue::default()), &file.clock).await
}

/// Measures PostgreSQL with RabbitMQ. `None` without servers.
pub(crate) async fn distributed() -> Option<Burst> {
    let mut servers = DurableServers::start(Duration::ZERO).await?;
    let database = servers.database().await;
    let clock = start(BEFORE);
    let store = PgStore::connect(&SecretString::from(database.direct.clone()), Mode::Own).await.unwrap();
    let store = store.with_clock(Arc::clone(&clock) as _);
    let queue = AmqpQueue::connect(Config::new(servers.amqp().into())).await.unwrap();
    Some(measure("distributed", Arc::new(store), Arc::new(queue), &clock).await)
}

async fn measure(
    form: &'static str,
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    clock: &MovingClock,
) -> Burst {
    let mut planner = planner(Arc::clone(&store), fleet(APPS, "0 2 * * *"));
    planner.sync().await.unwrap();
    clock.set.advance(Duration::from_secs(61));
    let machine = SystemClock::default();
    assert_eq!(planner.plan_due().await.unwrap().runs, APPS as u64);
    let planned_seconds = machine.elapsed().as_secs_f64();
    let rng = fastrand::Rng::with_seed(1);
    let dispatcher = Dispatcher::new(store, queue, wide_limits(), LEASE, Arc::new(Notify::new()), rng);
    let mut published = 0;
    while published < APPS {
        let released = dispatcher.dispatch().await.unwrap().released;
        assert!(released > 0, "only {published} of {APPS} steps were published");
        published += released;
    }
    let seconds = machine.elapsed().as_secs_f64();
    Burst { form, apps: APPS, planned_seconds, dispatched_seconds: seconds - planned_seconds }
}

/// Limits that never wait.
pub(crate) fn wide_limits() -> Limits {
    let wide = Budget { capacity: 1_000_000.0, per_second: 1_000_000.0 };
    Limits {
        reads: wide,
        writes: wide,
        deletes: wide,
        per_plan: 1_000_000,
        per_account: 1_000_000,
        outstanding: 1_000_000,
    }
}
