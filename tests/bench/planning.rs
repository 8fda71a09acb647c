//! The time to plan a fleet whose apps are all due in the same minute.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::Schedule;
use holdfast_model::{
    App, AppId, Clock, ManualClock, Policy, PolicyName, PolicySnapshot, StorageName, SystemClock,
    parse_timestamp,
};
use holdfast_scheduler::{FleetSnapshot, Planner, PlanningContext};
use holdfast_store::{Mode, SqliteStore};
use tokio::sync::{Notify, watch};

use crate::report::Planning;

const APPS: usize = 5_000;

/// Measures the real planner on a SQLite file.
pub(crate) async fn measure() -> Planning {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(parse_timestamp("2026-11-23T01:59:00Z").unwrap()));
    let store =
        SqliteStore::open(&dir.path().join("plan.sqlite"), Arc::clone(&clock) as _, Mode::Own).await.unwrap();
    let schedule = Schedule {
        crontab: "0 2 * * *".parse().unwrap(),
        timezone: holdfast_model::Zone::UTC,
        spread: Duration::ZERO,
    };
    let snapshot = PolicySnapshot::new(StorageName::new("s"), "account");
    let policy = Policy::new(PolicyName::new("gold"), schedule, snapshot);
    let app = |number: usize| {
        let id = AppId::new("subscription", "group", &format!("app-{number}"), None);
        let app = App {
            id: id.clone(),
            policy: Some(policy.name.clone()),
            plan: None,
            databases: Vec::new(),
            paused: false,
        };
        (id, app)
    };
    let fleet = FleetSnapshot {
        apps: (0..APPS).map(app).collect(),
        policies: BTreeMap::from([(policy.name.clone(), policy.clone())]),
        ..FleetSnapshot::default()
    };
    let (_keep, seen) = watch::channel(Arc::new(fleet));
    let rng = fastrand::Rng::with_seed(1);
    let due_signal = Arc::new(Notify::new());
    let mut planner = Planner::new(PlanningContext {
        store: Arc::new(store),
        fleet: seen,
        rng,
        due_signal,
        interval: None,
    });
    planner.sync().await.unwrap();
    clock.advance(Duration::from_secs(61));
    let machine = SystemClock::default();
    let done = planner.plan_due().await.unwrap();
    assert_eq!(done.runs, u64::try_from(APPS).unwrap());
    Planning { apps: APPS, seconds: machine.elapsed().as_secs_f64() }
}
