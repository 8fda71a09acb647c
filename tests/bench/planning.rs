//! The time to plan: a fleet whose apps are all due in the same minute, and what an outage of a month leaves behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::Schedule;
use holdfast_model::{
    App, AppId, Clock, ManualClock, Policy, PolicyName, PolicySnapshot, StorageName, SystemClock, Timestamp,
    parse_timestamp,
};
use holdfast_scheduler::{FleetSnapshot, Planner, PlanningContext};
use holdfast_store::{Mode, PgStore, SqliteStore, Store};
use holdfast_tests::postgres::Database;
use tokio::sync::{Notify, watch};

use crate::bench_world::ProcessMemory;
use crate::report::{Outage, Planning};

const APPS: usize = 5_000;

/// The apps of the outage. Their policy is due every hour.
const OUTAGE_APPS: usize = 1_000;
/// The hours of the outage: 30 days.
const OUTAGE_HOURS: usize = 720;

/// Long before the next tick, because the clock moves while the outage is planned.
const OUTAGE_BEGINS: &str = "2026-11-23T01:01:00Z";

/// Measures the real planner on a SQLite file.
pub(crate) async fn measure() -> Planning {
    let file = SqliteFile::new("2026-11-23T01:59:00Z").await;
    let mut planner = planner(Arc::new(file.store), fleet(APPS, "0 2 * * *"));
    planner.sync().await.unwrap();
    file.clock.set.advance(Duration::from_secs(61));
    let machine = SystemClock::default();
    let done = planner.plan_due().await.unwrap();
    assert_eq!(done.runs, APPS as u64);
    Planning { apps: APPS, seconds: machine.elapsed().as_secs_f64() }
}

/// Measures the planner after a month without one, on a SQLite file.
pub(crate) async fn measure_outage() -> Outage {
    let file = SqliteFile::new(OUTAGE_BEGINS).await;
    outage(Arc::new(file.store), &file.clock).await
}

/// Measures the planner after a month without one, on PostgreSQL. `None` without servers.
pub(crate) async fn measure_outage_on_postgres() -> Option<Outage> {
    let database = Database::new().await?;
    let clock = start(OUTAGE_BEGINS);
    let store = PgStore::connect(&database.url(), Mode::Own).await.unwrap();
    Some(outage(Arc::new(store.with_clock(Arc::clone(&clock) as _)), &clock).await)
}

async fn outage(store: Arc<dyn Store>, clock: &MovingClock) -> Outage {
    let mut planner = planner(store, fleet(OUTAGE_APPS, "0 * * * *"));
    planner.sync().await.unwrap();
    clock.set.advance(Duration::from_hours(OUTAGE_HOURS as u64));
    let before = ProcessMemory::reset();
    let machine = SystemClock::default();
    let done = planner.plan_due().await.unwrap();
    let seconds = machine.elapsed().as_secs_f64();
    let ticks = done.runs + done.missed;
    assert_eq!(ticks, (OUTAGE_APPS * OUTAGE_HOURS) as u64);
    Outage { ticks, seconds, more_memory_mib: before.growth_mib() }
}

/// A clock that is set, and that goes on as the machine's: ids begin with their time, and a store is slow where all have
/// the same.
#[derive(Debug)]
pub(crate) struct MovingClock {
    pub set: ManualClock,
    machine: SystemClock,
}

impl Clock for MovingClock {
    fn now(&self) -> Timestamp {
        self.set.now() + self.machine.elapsed()
    }

    fn elapsed(&self) -> Duration {
        self.set.elapsed() + self.machine.elapsed()
    }
}

/// A store in a temporary file, and its clock.
pub(crate) struct SqliteFile {
    pub clock: Arc<MovingClock>,
    pub store: SqliteStore,
    pub dir: tempfile::TempDir,
}

impl SqliteFile {
    pub(crate) async fn new(at: &str) -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), start(at));
        let path = dir.path().join("plan.sqlite");
        let store = SqliteStore::open(&path, Arc::clone(&clock) as _, Mode::Own).await.unwrap();
        Self { clock, store, dir }
    }
}

pub(crate) fn start(at: &str) -> Arc<MovingClock> {
    let set = ManualClock::new(parse_timestamp(at).unwrap());
    Arc::new(MovingClock { set, machine: SystemClock::default() })
}

/// A fleet in one policy without catch-up.
pub(crate) fn fleet(apps: usize, crontab: &str) -> FleetSnapshot {
    fleet_of((0..apps).map(|n| AppId::new("subscription", "group", &format!("app-{n}"), None)), crontab)
}

/// These apps in one policy without catch-up.
pub(crate) fn fleet_of(apps: impl Iterator<Item = AppId>, crontab: &str) -> FleetSnapshot {
    let schedule = Schedule {
        crontab: crontab.parse().unwrap(),
        timezone: holdfast_model::Zone::UTC,
        spread: Duration::ZERO,
    };
    let snapshot = PolicySnapshot::new(StorageName::new("s"), "account");
    let policy = Policy::new(PolicyName::new("gold"), schedule, snapshot);
    let app = |id: AppId| (id.clone(), App { policy: Some(policy.name.clone()), ..App::new(id) });
    FleetSnapshot {
        apps: apps.map(app).collect(),
        policies: BTreeMap::from([(policy.name.clone(), policy.clone())]),
        ..FleetSnapshot::default()
    }
}

pub(crate) fn planner(store: Arc<dyn Store>, fleet: FleetSnapshot) -> Planner {
    let (_, seen) = watch::channel(Arc::new(fleet));
    let rng = fastrand::Rng::with_seed(1);
    let due_signal = Arc::new(Notify::new());
    Planner::new(PlanningContext { store, fleet: seen, rng, due_signal, interval: None })
}
