//! Restores whose answers were lost.

use std::time::Duration;

use holdfast_model::{Clock, Outcome, Run, RunState, StateCode};

use crate::azure::Post;
use crate::world::World;

/// A backup to restore, and the next restore's answer lost.
async fn world() -> World {
    let world = World::new();
    world.add_run("shop").await;
    world.carry_on().await;
    world.azure.script_posts([Post::Lose]);
    world
}

fn outcome(runs: &[Run], site: &str) -> Option<Outcome> {
    let of_site = runs.iter().find(|run| run.app.site() == site);
    match of_site.map(|run| &run.state) {
        Some(RunState::Ended { outcome, .. }) => Some(*outcome),
        _ => None,
    }
}

async fn lose_the_answer(world: &World, site: &str) {
    world.add_restore(site).await;
    for wakeup in world.hand_out().await {
        world.step(wakeup).await.unwrap();
    }
    assert_eq!(world.run().await.state.code(), StateCode::Reconciling);
}

#[tokio::test]
async fn a_lost_restore_is_done_when_its_backup_was_restored_since() {
    let world = world().await;
    lose_the_answer(&world, "target").await;
    world.azure.restored_at(world.clock.now());
    world.carry_on().await;
    assert_eq!(outcome(&world.runs().await, "target"), Some(Outcome::Succeeded));
    assert_eq!(world.azure.calls().iter().filter(|call| **call == "restore").count(), 1);
}

#[tokio::test]
async fn a_lost_restore_is_not_done_when_another_run_restored_the_same_backup_elsewhere() {
    let world = world().await;
    lose_the_answer(&world, "target").await;
    world.clock.advance(Duration::from_secs(1));
    world.add_restore("scratch").await;
    for wakeup in world.hand_out().await {
        world.step(wakeup).await.unwrap();
    }
    world.azure.restored_at(world.clock.now());
    world.carry_on().await;
    let runs = world.runs().await;
    assert_eq!(outcome(&runs, "scratch"), Some(Outcome::Succeeded));
    assert_eq!(outcome(&runs, "target"), Some(Outcome::Exhausted), "nobody can tell: {runs:#?}");
    assert_eq!(world.azure.calls().iter().filter(|call| **call == "restore").count(), 2, "none is repeated");
}

#[tokio::test]
async fn a_lost_restore_is_not_done_when_one_that_was_given_up_long_ago_may_have_gone_on() {
    let world = world().await;
    let attempts = holdfast_model::Retries::default().lost.attempts;
    world.azure.script_posts(std::iter::repeat_n(Post::Lose, attempts as usize));
    world.add_restore("scratch").await;
    world.carry_on().await;
    assert_eq!(outcome(&world.runs().await, "scratch"), Some(Outcome::Exhausted));
    world.clock.advance(Duration::from_hours(1));
    lose_the_answer(&world, "target").await;
    world.azure.restored_at(world.clock.now());
    world.carry_on().await;
    assert_eq!(outcome(&world.runs().await, "target"), Some(Outcome::Exhausted));
}

#[tokio::test]
async fn a_lost_restore_is_not_done_when_another_ended_a_moment_before_it_began() {
    let world = World::new();
    world.add_run("shop").await;
    world.carry_on().await;
    world.add_restore("scratch").await;
    world.carry_on().await;
    world.clock.advance(Duration::from_secs(5));
    world.azure.script_posts([Post::Lose]);
    lose_the_answer(&world, "target").await;
    // Azure tells of the first one only now.
    world.azure.restored_at(world.clock.now());
    world.carry_on().await;
    assert_eq!(outcome(&world.runs().await, "scratch"), Some(Outcome::Succeeded));
    assert_eq!(outcome(&world.runs().await, "target"), Some(Outcome::Exhausted));
}
