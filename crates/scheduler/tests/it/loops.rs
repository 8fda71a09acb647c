//! The loops themselves, under paused time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use holdfast_model::{Limits, Trigger};
use tokio_util::sync::CancellationToken;

use crate::world::{World, app, app_id, at, fleet, gold};

/// Lets everything run that can.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Lets real time and the store's time pass.
async fn pass(world: &World, by: Duration) {
    world.clock.advance(by);
    tokio::time::advance(by).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn the_planner_syncs_plans_and_stops() {
    let world = World::at("01:59");
    let (planner, fleet_of) = world.planner(fleet([], gold()));
    let stop = CancellationToken::new();
    let planner = tokio::spawn(planner.run(stop.clone()));
    settle().await;
    fleet_of.send_replace(Arc::new(fleet([app(app_id("shop"))], gold())));
    pass(&world, Duration::from_secs(2)).await;
    assert_eq!(world.ticks().await, [""; 0]);
    world.clock.set(at("02:00"));
    pass(&world, Duration::from_secs(2)).await;
    assert_eq!(world.ticks().await, ["02:00 planned"]);
    stop.cancel();
    planner.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_planner_sets_back_a_cursor_that_a_wrong_clock_moved_within_the_hour() {
    let world = World::at("01:30");
    let (planner, _fleet) = world.planner(fleet([app(app_id("shop"))], gold()));
    let stop = CancellationToken::new();
    let planner = tokio::spawn(planner.run(stop.clone()));
    settle().await;
    world.clock.set(at("23:30"));
    pass(&world, Duration::from_secs(2)).await;
    world.clock.set(at("10:30"));
    for _ in 0..3_700 {
        tokio::time::advance(Duration::from_secs(1)).await;
        settle().await;
    }
    let status = holdfast_store::Store::status(&*world.store).await.unwrap();
    assert_eq!(status[0].next_tick, Some(at("11:00")));
    stop.cancel();
    planner.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_dispatcher_looks_on_the_signal_and_when_something_comes_due_and_stops() {
    let world = World::at("02:00");
    let stop = CancellationToken::new();
    let dispatcher = tokio::spawn(world.dispatcher(Limits::default()).run(stop.clone()));
    settle().await;
    pass(&world, Duration::from_millis(20)).await;
    world.add(&app(app_id("shop")), Trigger::Manual).await;
    settle().await;
    assert_eq!(world.messages().len(), 0, "nobody told it");
    world.due_signal.notify_one();
    settle().await;
    assert_eq!(world.messages().len(), 1);
    let soon = holdfast_store::Store::now(&*world.store).await.unwrap() + Duration::from_millis(300);
    let run = world.new_run(&app(app_id("later")), Trigger::Schedule, soon);
    holdfast_store::Store::add_run(&*world.store, &run).await.unwrap();
    world.due_signal.notify_one();
    for _ in 0..16 {
        pass(&world, Duration::from_millis(20)).await;
    }
    assert_eq!(world.messages().len(), 1, "its time has come");
    stop.cancel();
    dispatcher.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dispatcher_whose_queue_is_broken_goes_on_and_hands_out_when_the_lease_has_passed() {
    let world = World::at("02:00");
    world.add(&app(app_id("shop")), Trigger::Manual).await;
    world.queue.broken.store(true, Ordering::Relaxed);
    let stop = CancellationToken::new();
    let dispatcher = tokio::spawn(world.dispatcher(Limits::default()).run(stop.clone()));
    settle().await;
    world.queue.broken.store(false, Ordering::Relaxed);
    for _ in 0..62 {
        pass(&world, Duration::from_secs(1)).await;
    }
    assert_eq!(world.messages().len(), 1);
    stop.cancel();
    dispatcher.await.unwrap();
}
