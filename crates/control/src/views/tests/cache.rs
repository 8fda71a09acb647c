use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{App, Clock, ManualClock, NewRun, PolicyName, PolicySnapshot, RunId, StorageName};
use holdfast_store::{Enrolled, MemoryStore, Mode, Observation, SqliteStore, Store};

use super::fixture::*;
use crate::views::cache::FleetCache;

struct Fixture {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    cache: FleetCache,
}

impl Fixture {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(now()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        store.sync_fleet(&[enrolled("shop")], &[]).await.unwrap();
        let cache = FleetCache::new(store.clone(), clock.clone());
        Self { store, clock, cache }
    }

    /// Records a missed tick of `shop` some hours ago.
    async fn miss(&self, hours: u64) {
        let (app, snapshot) = (shop(), PolicySnapshot::new(StorageName::new("weu"), "acct"));
        let at = self.clock.now();
        let missed = MissedTick { tick: at - Duration::from_hours(hours), reason: MissReason::TooLate };
        let id = RunId::new(at, &mut fastrand::Rng::with_seed(hours));
        self.store.add_run(&NewRun::missed(id, &app, &snapshot, &missed, at)).await.unwrap();
    }

    /// The days of `shop` with the numbers of missed ticks.
    async fn days(&self) -> Vec<(String, u32)> {
        let cached = self.cache.read().await.unwrap();
        let days = cached.reading.days_of(&app("shop")).iter();
        days.map(|mark| (mark.day.to_string(), mark.counts.missed)).collect()
    }
}

fn shop() -> App {
    App { policy: Some(PolicyName::new("gold")), ..App::new(app("shop")) }
}

fn enrolled(name: &str) -> Enrolled {
    Enrolled {
        app: App { id: app(name), ..shop() },
        recovery_point_objective: None,
        retention: None,
        partial_is_good: false,
        schedule: None,
        observation: Observation::default(),
    }
}

#[tokio::test]
async fn a_reading_is_fresh_for_a_few_seconds_and_until_it_expires() {
    let fixture = Fixture::new().await;
    assert!(fixture.cache.latest().is_none());
    let first = fixture.cache.read().await.unwrap();
    assert_eq!((first.reading.apps.len(), first.store_away), (1, false));
    fixture.store.sync_fleet(&[enrolled("shop"), enrolled("wiki")], &[]).await.unwrap();
    assert!(Arc::ptr_eq(&first.reading, &fixture.cache.read().await.unwrap().reading));
    fixture.cache.expire();
    assert_eq!(fixture.cache.read().await.unwrap().reading.apps.len(), 2);
    fixture.store.sync_fleet(&[enrolled("blog")], &[]).await.unwrap();
    fixture.clock.advance(Duration::from_secs(31));
    assert_eq!(fixture.cache.read().await.unwrap().reading.apps.len(), 3);
    assert_eq!(fixture.cache.latest().unwrap().reading.apps.len(), 3);
}

#[tokio::test]
async fn a_reading_of_some_seconds_is_given_at_once_and_the_next_one_is_read_meanwhile() {
    let fixture = Fixture::new().await;
    let first = fixture.cache.read().await.unwrap();
    fixture.store.sync_fleet(&[enrolled("wiki")], &[]).await.unwrap();
    fixture.clock.advance(Duration::from_secs(29));
    assert!(Arc::ptr_eq(&first.reading, &fixture.cache.read().await.unwrap().reading));
    while fixture.cache.latest().unwrap().reading.apps.len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.cache.read().await.unwrap().reading.apps.len(), 2);
}

#[tokio::test]
async fn the_days_of_a_reading_are_those_of_the_store_although_only_the_last_are_read_again() {
    let fixture = Fixture::new().await;
    fixture.miss(24 * 29).await;
    fixture.miss(24 * 30).await;
    fixture.miss(9).await;
    let day = |day: &str, missed| (day.to_owned(), missed);
    assert_eq!(fixture.days().await, [day("2026-10-31", 1), day("2026-11-28", 1)]);
    fixture.miss(10).await;
    fixture.miss(1).await;
    fixture.clock.advance(Duration::from_secs(40));
    assert_eq!(fixture.days().await, [day("2026-10-31", 1), day("2026-11-28", 2), day("2026-11-29", 1)]);
    // The oldest day is no longer shown on the next one.
    fixture.clock.advance(Duration::from_hours(24));
    assert_eq!(fixture.days().await, [day("2026-11-28", 2), day("2026-11-29", 1)]);
    // What is recorded late is shown when all days are read again.
    fixture.miss(24 * 9).await;
    fixture.clock.advance(Duration::from_mins(20));
    assert_eq!(fixture.days().await.len(), 2);
    fixture.clock.advance(Duration::from_mins(50));
    assert_eq!(fixture.days().await[0], day("2026-11-21", 1));
    // After days without a page, what ended meanwhile is read.
    fixture.miss(1).await;
    fixture.clock.advance(Duration::from_hours(24 * 5));
    fixture.miss(24 * 3).await;
    let days = fixture.days().await;
    assert_eq!(days[3..], [day("2026-11-30", 1), day("2026-12-02", 1)]);
}

#[tokio::test]
async fn a_store_that_is_away_leaves_the_last_reading_marked_as_old() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(now()));
    let store = SqliteStore::open(&folder.path().join("store.db"), clock.clone(), Mode::Own).await.unwrap();
    let store = Arc::new(store);
    store.sync_fleet(&[enrolled("shop")], &[]).await.unwrap();
    let cache = FleetCache::new(store.clone(), clock.clone());
    let first = cache.read().await.unwrap();
    store.close().await;
    clock.advance(Duration::from_secs(31));
    let second = cache.read().await.unwrap();
    assert!(second.store_away && Arc::ptr_eq(&first.reading, &second.reading));
    assert!(cache.latest().unwrap().store_away);
    // The store is not asked again for every page.
    assert!(Arc::ptr_eq(&first.reading, &cache.read().await.unwrap().reading));
    let unread = FleetCache::new(store, clock);
    assert_eq!(unread.read().await.unwrap_err().kind(), crate::ErrorKind::Store);
}
