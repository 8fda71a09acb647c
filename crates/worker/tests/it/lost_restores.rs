//! Restores whose answers were lost.

use std::time::Duration;

use holdfast_model::{Clock, Outcome, Run, RunState, StateCode};

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::worker_world::WorkerWorld;

/// A world with one backup, which loses the answer to the next restore.
async fn world() -> WorkerWorld {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    world.run_to_end().await;
    world.arm.script_posts([PostResult::AnswerLost]);
    world
}

fn outcome(runs: &[Run], site: &str) -> Option<Outcome> {
    let of_site = runs.iter().find(|run| run.app.site() == site);
    match of_site.map(|run| &run.state) {
        Some(RunState::Ended { outcome, .. }) => Some(*outcome),
        _ => None,
    }
}

async fn lose_the_answer(world: &WorkerWorld, site: &str) {
    world.add_restore(site).await;
    for wakeup in world.acquire_due().await {
        world.step(wakeup).await.unwrap();
    }
    assert_eq!(world.run().await.state.code(), StateCode::Reconciling);
}

#[tokio::test]
async fn a_lost_restore_is_done_when_its_backup_was_restored_since() {
    let world = world().await;
    lose_the_answer(&world, "target").await;
    world.arm.set_last_restored(world.clock.now());
    world.run_to_end().await;
    assert_eq!(outcome(&world.runs().await, "target"), Some(Outcome::Succeeded));
    assert_eq!(world.arm.calls().iter().filter(|call| **call == "restore").count(), 1);
}

#[tokio::test]
async fn a_lost_restore_is_not_done_when_another_run_restored_the_same_backup_elsewhere() {
    let world = world().await;
    lose_the_answer(&world, "target").await;
    world.clock.advance(Duration::from_secs(1));
    world.add_restore("scratch").await;
    for wakeup in world.acquire_due().await {
        world.step(wakeup).await.unwrap();
    }
    world.arm.set_last_restored(world.clock.now());
    world.run_to_end().await;
    let runs = world.runs().await;
    assert_eq!(outcome(&runs, "scratch"), Some(Outcome::Succeeded));
    assert_eq!(
        outcome(&runs, "target"),
        Some(Outcome::Exhausted),
        "either run may have restored it: {runs:#?}"
    );
    assert_eq!(
        world.arm.calls().iter().filter(|call| **call == "restore").count(),
        2,
        "no restore is repeated"
    );
}

#[tokio::test]
async fn a_lost_restore_is_not_done_when_one_that_was_given_up_earlier_may_still_be_running() {
    let world = world().await;
    let attempts = holdfast_model::Retries::default().lost.attempts;
    world.arm.script_posts(std::iter::repeat_n(PostResult::AnswerLost, attempts as usize));
    world.add_restore("scratch").await;
    world.run_to_end().await;
    assert_eq!(outcome(&world.runs().await, "scratch"), Some(Outcome::Exhausted));
    world.clock.advance(Duration::from_hours(1));
    lose_the_answer(&world, "target").await;
    world.arm.set_last_restored(world.clock.now());
    world.run_to_end().await;
    assert_eq!(outcome(&world.runs().await, "target"), Some(Outcome::Exhausted));
}

#[tokio::test]
async fn a_lost_restore_is_not_done_when_another_ended_a_moment_before_it_began() {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    world.run_to_end().await;
    world.add_restore("scratch").await;
    world.run_to_end().await;
    world.clock.advance(Duration::from_secs(5));
    world.arm.script_posts([PostResult::AnswerLost]);
    lose_the_answer(&world, "target").await;
    // Azure reports the first restore only now.
    world.arm.set_last_restored(world.clock.now());
    world.run_to_end().await;
    assert_eq!(outcome(&world.runs().await, "scratch"), Some(Outcome::Succeeded));
    assert_eq!(outcome(&world.runs().await, "target"), Some(Outcome::Exhausted));
}
