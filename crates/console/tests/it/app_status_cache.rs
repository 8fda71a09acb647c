//! The status of the apps comes from the store's rows and is cached.

use std::sync::Arc;
use std::time::Duration;

use holdfast_console::AppStatusCache;
use holdfast_model::{
    App, AppId, Clock, DepartureReason, ManualClock, NewRun, OperatorAction, PolicyName, PolicySnapshot,
    RunId, StorageName, Timestamp,
};
use holdfast_store::{Departure, Enrolled, MemoryStore, Mode, Observation, SqliteStore, Store};

/// A departure of the app because Azure no longer has it.
fn departure(name: &str) -> Departure {
    let (app, now) = (App::new(AppId::new("s", "g", name, None)), Timestamp::UNIX_EPOCH);
    let (reason, snapshot) = (DepartureReason::NotFound, PolicySnapshot::new(StorageName::new("none"), ""));
    let action = OperatorAction::LeftFleet { reason, detail: "404".into() };
    let id = RunId::new(now, &mut fastrand::Rng::with_seed(1));
    let record = NewRun::operator_action(id, &app, &snapshot, action, "holdfast".into(), now);
    Departure { app: app.id, reason, observed_at: now, record }
}

fn enrolled(name: &str) -> Enrolled {
    let id = AppId::new("s", "g", name, None);
    Enrolled {
        app: App { policy: Some(PolicyName::new("gold")), ..App::new(id) },
        recovery_point_objective: None,
        retention: None,
        partial_is_good: false,
        schedule: None,
        observation: Observation::default(),
    }
}

fn names(cache: &AppStatusCache) -> Vec<String> {
    cache.latest().unwrap().apps.iter().map(|app| app.app.short_name()).collect()
}

#[tokio::test]
async fn a_reading_serves_for_some_seconds_and_leaves_out_apps_that_were_removed() {
    let manual = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let clock: Arc<dyn Clock> = Arc::clone(&manual) as _;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let cache = AppStatusCache::new(Arc::clone(&store), clock);
    assert!(cache.latest().is_none());
    store.sync_fleet(&[enrolled("shop"), enrolled("wiki")], &[]).await.unwrap();
    cache.refresh().await;
    assert_eq!(names(&cache), ["shop", "wiki"]);
    store.sync_fleet(&[enrolled("wiki")], &[departure("shop")]).await.unwrap();
    cache.refresh().await;
    assert_eq!(names(&cache), ["shop", "wiki"], "read a moment ago");
    manual.advance(Duration::from_secs(5));
    cache.refresh().await;
    assert_eq!(names(&cache), ["wiki"]);
    assert_eq!(cache.latest().unwrap().at, Timestamp::UNIX_EPOCH + Duration::from_secs(5));
}

#[tokio::test]
async fn an_unreachable_store_leaves_the_last_reading() {
    let manual = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let clock: Arc<dyn Clock> = Arc::clone(&manual) as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sqlite");
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&path, Arc::clone(&clock), Mode::Own).await.unwrap());
    let cache = AppStatusCache::new(Arc::clone(&store), clock);
    store.sync_fleet(&[enrolled("shop")], &[]).await.unwrap();
    cache.refresh().await;
    store.close().await;
    manual.advance(Duration::from_mins(1));
    cache.refresh().await;
    assert_eq!(names(&cache), ["shop"]);
    assert_eq!(cache.latest().unwrap().at, Timestamp::UNIX_EPOCH, "and it says how old it is");
}
