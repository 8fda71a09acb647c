//! Budgets, and crowds behind them.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{App, AppId, Budget, Call, Limits, SubscriptionId, Trigger};
use holdfast_store::Store;

use crate::world::{World, app};

fn app_of(subscription: &str, n: usize, plans: usize) -> App {
    let plan = Some(format!("/plans/{}", n % plans));
    App { plan, ..app(AppId::new(subscription, "group", &format!("app{n}"), None)) }
}

/// Limits of which only the writes are felt.
fn writes(capacity: f64, per_second: f64) -> Limits {
    Limits {
        writes: Budget { capacity, per_second },
        per_plan: 1_000_000,
        per_account: 1_000_000,
        outstanding: 1_000_000,
        ..Limits::default()
    }
}

/// How many messages each subscription got.
async fn released(world: &World) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for wakeup in world.wakeups() {
        let run = world.store.load(wakeup.run_id).await.unwrap().unwrap().run;
        *count.entry(run.app.subscription().to_string()).or_default() += 1;
    }
    count
}

#[tokio::test]
async fn a_subscription_is_never_asked_more_than_its_budget_and_each_has_its_own() {
    let world = World::at("02:00");
    for n in 0..100 {
        world.add(&app_of("one", n, 7), Trigger::Schedule).await;
        world.add(&app_of("two", n, 7), Trigger::Schedule).await;
    }
    let (one, two) = (world.dispatcher(writes(10.0, 2.0)), world.dispatcher(writes(10.0, 2.0)));
    let mut total = 0;
    for second in 0..20 {
        for _ in 0..3 {
            let (a, b) = tokio::join!(one.dispatch(), two.dispatch());
            a.unwrap();
            b.unwrap();
        }
        let count = released(&world).await;
        assert_eq!(count.get("one"), count.get("two"), "at {second} s");
        total += count.get("one").copied().unwrap_or_default();
        assert_eq!(total, 10 + 2 * second, "at {second} s");
        world.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_closed_budget_holds_that_kind_of_call_of_that_subscription_and_nothing_else() {
    let world = World::at("02:00");
    for subscription in ["closed", "open"] {
        world.add(&app_of(subscription, 1, 1), Trigger::Schedule).await;
    }
    let now = world.store.now().await.unwrap();
    let closed = SubscriptionId::new("closed");
    world.store.close_budget(&closed, Call::Write, now + Duration::from_secs(500)).await.unwrap();
    world
        .store
        .close_budget(&SubscriptionId::new("open"), Call::Read, now + Duration::from_hours(9))
        .await
        .unwrap();
    let dispatcher = world.dispatcher(Limits::default());
    dispatcher.dispatch().await.unwrap();
    assert_eq!(released(&world).await, [("open".to_owned(), 1)].into());
    world.clock.advance(Duration::from_secs(499));
    dispatcher.dispatch().await.unwrap();
    assert!(!released(&world).await.contains_key("closed"));
    world.clock.advance(Duration::from_secs(1));
    dispatcher.dispatch().await.unwrap();
    assert_eq!(released(&world).await.get("closed"), Some(&1));
}

#[tokio::test]
async fn a_crowd_behind_a_throttled_subscription_slows_no_other() {
    let world = World::at("02:00");
    // Longest due and in a thousand lanes, so that they come first wherever it goes by order or by number.
    for n in 0..20_000 {
        world.add(&app_of("crowded", n, 1_000), Trigger::Schedule).await;
    }
    world.clock.advance(Duration::from_secs(1));
    for n in 0..300 {
        world.add(&app_of("quiet", n, 300), Trigger::Schedule).await;
    }
    let now = world.store.now().await.unwrap();
    world
        .store
        .close_budget(&SubscriptionId::new("crowded"), Call::Write, now + Duration::from_hours(1))
        .await
        .unwrap();
    // A subscription beside others takes at most half of what may be outstanding.
    let limits = Limits { outstanding: 512, per_account: 1_000_000, ..Limits::default() };
    let dispatcher = world.dispatcher(limits);
    dispatcher.dispatch().await.unwrap();
    let first = released(&world).await;
    assert_eq!(first, [("quiet".to_owned(), 200)].into(), "all that its budget holds, in one pass");
    world.clock.advance(Duration::from_secs(1));
    dispatcher.dispatch().await.unwrap();
    assert_eq!(released(&world).await, [("quiet".to_owned(), 10)].into(), "and then ten a second");
}

#[tokio::test]
async fn with_little_room_a_crowd_and_a_lonely_app_of_another_subscription_share_alike() {
    let world = World::at("02:00");
    for n in 0..500 {
        world.add(&app_of("crowded", n, 5), Trigger::Schedule).await;
    }
    world.clock.advance(Duration::from_secs(1));
    for n in 0..20 {
        world.add(&app_of("small", n, 1), Trigger::Schedule).await;
    }
    let dispatcher = world.dispatcher(Limits { outstanding: 20, ..writes(1_000.0, 0.0) });
    dispatcher.dispatch().await.unwrap();
    assert_eq!(released(&world).await, [("crowded".to_owned(), 10), ("small".to_owned(), 10)].into());
}
