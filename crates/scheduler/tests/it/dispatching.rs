//! Due runs become messages.

use std::sync::atomic::Ordering;
use std::time::Duration;

use holdfast_model::{App, Limits, Trigger, Wakeup};
use holdfast_store::{Committed, Store};

use crate::world::{LEASE, World, app, app_id};

fn apps(count: usize) -> Vec<App> {
    (0..count).map(|n| app(app_id(&format!("app{n}")))).collect()
}

async fn with_runs(count: usize) -> World {
    let world = World::at("02:00");
    for app in apps(count) {
        world.add(&app, Trigger::Schedule).await;
    }
    world
}

#[tokio::test]
async fn what_is_due_is_handed_out_once() {
    let world = with_runs(3).await;
    let (one, two) = (world.dispatcher(Limits::default()), world.dispatcher(Limits::default()));
    let (a, b) = tokio::join!(one.dispatch(), two.dispatch());
    assert_eq!(a.unwrap().released + b.unwrap().released, 3);
    assert_eq!(world.messages().len(), 3);
    assert_eq!(one.dispatch().await.unwrap().released, 0);
}

#[tokio::test]
async fn a_run_that_is_not_due_waits_and_its_due_time_is_reported() {
    let world = World::at("02:00");
    let now = world.store.now().await.unwrap();
    let later = world.new_run(&app(app_id("shop")), Trigger::Schedule, now + Duration::from_secs(90));
    world.store.add_run(&later).await.unwrap();
    let dispatcher = world.dispatcher(Limits::default());
    let done = dispatcher.dispatch().await.unwrap();
    assert_eq!((done.released, done.next_at), (0, Some(now + Duration::from_secs(90))));
    world.clock.advance(Duration::from_secs(90));
    assert_eq!(dispatcher.dispatch().await.unwrap().released, 1);
}

#[tokio::test]
async fn a_lease_that_passes_makes_the_run_due_again_in_a_version_that_the_old_message_does_not_fit() {
    let world = with_runs(1).await;
    let dispatcher = world.dispatcher(Limits::default());
    dispatcher.dispatch().await.unwrap();
    let lost = world.wakeups()[0];
    world.clock.advance(LEASE.checked_sub(Duration::from_millis(1)).unwrap());
    assert_eq!(dispatcher.dispatch().await.unwrap().released, 0);
    world.clock.advance(Duration::from_millis(1));
    let done = dispatcher.dispatch().await.unwrap();
    assert_eq!((done.reclaimed, done.released), (1, 1));
    let again = world.wakeups()[0];
    assert_eq!((again.run_id, again.version), (lost.run_id, lost.version + 1));
    assert_eq!(world.commit(lost, Vec::new(), LEASE).await, Committed::Stale);
    assert!(matches!(world.commit(again, Vec::new(), LEASE).await, Committed::Done(_)));
}

#[tokio::test]
async fn a_queue_that_takes_nothing_costs_the_lease_and_no_run() {
    let world = with_runs(5).await;
    let dispatcher = world.dispatcher(Limits::default());
    world.queue.broken.store(true, Ordering::Relaxed);
    assert!(dispatcher.dispatch().await.is_err());
    world.queue.broken.store(false, Ordering::Relaxed);
    assert_eq!(dispatcher.dispatch().await.unwrap().released, 0, "they may have arrived");
    world.clock.advance(LEASE);
    assert_eq!(dispatcher.dispatch().await.unwrap().released, 5);
    assert_eq!(world.messages().len(), 5);
}

#[tokio::test]
async fn no_more_messages_are_out_than_may_be_and_room_is_filled_as_it_comes() {
    let world = with_runs(20).await;
    let dispatcher = world.dispatcher(Limits { outstanding: 7, ..Limits::default() });
    let mut out: Vec<Wakeup> = Vec::new();
    for _ in 0..5 {
        dispatcher.dispatch().await.unwrap();
        out.extend(world.wakeups());
    }
    assert_eq!(out.len(), 7);
    for wakeup in out.drain(..3) {
        world.end(wakeup).await;
    }
    for _ in 0..5 {
        dispatcher.dispatch().await.unwrap();
        out.extend(world.wakeups());
        assert!(out.len() <= 7);
    }
    assert_eq!(out.len(), 7);
}

#[tokio::test]
async fn what_a_person_waits_for_goes_before_what_a_schedule_waits_for() {
    let world = with_runs(10).await;
    let manual = world.add(&app(app_id("urgent")), Trigger::Manual).await;
    let dispatcher = world.dispatcher(Limits { outstanding: 1, ..Limits::default() });
    dispatcher.dispatch().await.unwrap();
    let messages = world.messages();
    assert_eq!(messages.iter().map(|m| (m.wakeup.run_id, m.urgent)).collect::<Vec<_>>(), [(manual, true)]);
}

#[tokio::test]
async fn within_one_lane_too_the_person_goes_first_and_then_the_longest_due() {
    let world = World::at("02:00");
    let together = |name: &str| App { plan: Some("/plans/shared".into()), ..app(app_id(name)) };
    let mut expected = Vec::new();
    for name in ["first", "second", "third"] {
        expected.push(world.add(&together(name), Trigger::Schedule).await);
        world.clock.advance(Duration::from_secs(1));
    }
    expected.insert(0, world.add(&together("urgent"), Trigger::Manual).await);
    let dispatcher = world.dispatcher(Limits { outstanding: 1, ..Limits::default() });
    let mut order = Vec::new();
    for _ in 0..4 {
        dispatcher.dispatch().await.unwrap();
        let wakeup = world.wakeups()[0];
        order.push(wakeup.run_id);
        world.end(wakeup).await;
    }
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_plan_is_worked_on_by_as_many_as_the_limit_says_for_as_long_as_azure_works() {
    let world = World::at("02:00");
    for name in ["a", "b", "c", "d", "e"] {
        world.add(&App { plan: Some("/plans/shared".into()), ..app(app_id(name)) }, Trigger::Schedule).await;
    }
    let dispatcher = world.dispatcher(Limits { per_plan: 2, ..Limits::default() });
    dispatcher.dispatch().await.unwrap();
    let out = world.wakeups();
    assert_eq!(out.len(), 2);
    world.begin(out[0]).await;
    assert_eq!(
        dispatcher.dispatch().await.unwrap().released,
        0,
        "Azure works on one, and a worker on the other"
    );
    world.end(out[1]).await;
    assert_eq!(dispatcher.dispatch().await.unwrap().released, 1);
}

#[tokio::test]
async fn an_account_is_written_to_by_as_many_as_the_limit_says_over_all_plans() {
    let world = with_runs(9).await;
    let dispatcher = world.dispatcher(Limits { per_account: 4, ..Limits::default() });
    for _ in 0..3 {
        dispatcher.dispatch().await.unwrap();
    }
    let out = world.wakeups();
    assert_eq!(out.len(), 4);
    world.end(out[0]).await;
    assert_eq!(dispatcher.dispatch().await.unwrap().released, 1);
}

#[tokio::test]
async fn an_app_is_worked_on_by_one_run_and_its_next_run_keeps_no_other_app_waiting() {
    let world = World::at("02:00");
    let together = |name: &str| App { plan: Some("/plans/shared".into()), ..app(app_id(name)) };
    for _ in 0..3 {
        world.add(&together("shop"), Trigger::Manual).await;
    }
    world.add(&together("other"), Trigger::Schedule).await;
    let dispatcher = world.dispatcher(Limits::default());
    dispatcher.dispatch().await.unwrap();
    let out = world.wakeups();
    let mut apps = Vec::new();
    for wakeup in &out {
        apps.push(world.store.load(wakeup.run_id).await.unwrap().unwrap().run.app);
    }
    assert_eq!(apps, [app_id("shop"), app_id("other")]);
    world.begin(out[0]).await;
    assert_eq!(dispatcher.dispatch().await.unwrap().released, 0);
}
