//! Crashes at every await of a step, and at every two of them.

use std::collections::BTreeSet;

use holdfast_model::{Fold, Outcome, RunState};
use holdfast_store::{Link, Store, verify_chain};

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::worker_world::WorkerWorld;

async fn check(world: &WorkerWorld, what: &str) {
    let run = world.run().await;
    let RunState::Ended { outcome: Outcome::Succeeded, .. } = run.state else { panic!("{what}: {run:?}") };
    let names: Vec<String> = world.arm.accepted().into_iter().map(|(name, _)| name).collect();
    let apart: BTreeSet<&String> = names.iter().collect();
    assert_eq!(apart.len(), names.len(), "{what}: two POSTs of one attempt were accepted: {names:?}");
    let fold = Fold::of(&world.events(run.id).await).unwrap();
    assert_eq!((fold.state, fold.failure_counts), (run.state, run.failure_counts), "{what}");
    verify_chain(&world.store.chain(0, 1_000).await.unwrap(), Link::origin()).unwrap();
}

async fn begun(post: &PostResult) -> WorkerWorld {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    world.arm.script_posts([post.clone()]);
    world.arm.script_statuses(&["InProgress"]);
    world
}

#[tokio::test]
async fn later_steps_recover_from_a_step_dropped_at_any_await_and_nothing_is_posted_twice() {
    for post in [PostResult::Accepted, PostResult::AnswerLost] {
        let mut polls = 0;
        loop {
            let world = begun(&post).await;
            let crashed = world.crash_after(polls).await;
            world.run_to_end().await;
            check(&world, &format!("{post:?}, crash after {polls} polls")).await;
            assert_eq!(world.arm.accepted().len(), 1, "a listed backup is adopted and not made again");
            if !crashed {
                break;
            }
            polls += 1;
        }
        assert!(polls > 20, "only {polls} places to crash at");
    }
}

#[tokio::test]
async fn later_steps_recover_from_crashes_at_any_two_awaits() {
    for first in 0..40 {
        for second in 0..40 {
            let world = begun(&PostResult::Accepted).await;
            world.crash_after(first).await;
            world.crash_after(second).await;
            world.run_to_end().await;
            check(&world, &format!("crashes after {first} and then {second} polls")).await;
            assert_eq!(world.arm.accepted().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_crash_while_azure_lists_late_begins_an_attempt_with_a_new_name_and_records_the_first() {
    let mut orphans = 0;
    for polls in 0..60 {
        let world = begun(&PostResult::Accepted).await;
        world.arm.list_late(4);
        world.crash_after(polls).await;
        world.run_to_end().await;
        check(&world, &format!("crash after {polls} polls")).await;
        let (run, accepted) = (world.run().await, world.arm.accepted().len());
        if accepted == 2 {
            assert!(
                run.failure_counts.missing.is_empty(),
                "the backup of the lost attempt is not recorded: {run:?}"
            );
            orphans += 1;
        }
        assert!(accepted <= 2);
    }
    assert!(orphans > 0, "no crash lost a POST");
}
