//! Single steps, and what comes between them.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use holdfast_arm::{ErrorKind, ThrottleScope};
use holdfast_model::{Cause, Clock, Fold, ManualClock, Outcome, RunState, Timestamp, Verification, Wakeup};
use holdfast_store::{Link, Store, verify_chain};
use holdfast_worker::{Settings, Stepped};

use crate::azure::Post;
use crate::store::Trouble;
use crate::world::{LEASE, World, poll_times};

#[tokio::test]
async fn a_run_goes_from_planned_to_succeeded_and_every_step_is_told() {
    let world = World::new();
    let id = world.add_run("shop").await;
    world.azure.script_statuses(&["Created", "InProgress", "InProgress"]);
    world.carry_on().await;
    let story = [
        "planned",
        "sas_refreshed",
        "attempt_started",
        "accepted",
        "status_seen",
        "status_seen",
        "completed",
        "ended",
    ];
    assert_eq!(world.story(id).await, story);
    assert_eq!(world.azure.calls(), ["post", "get", "get", "get", "get"]);
    let run = world.run().await;
    let RunState::Ended { outcome, backup: Some(backup), verification, .. } = &run.state else {
        panic!("{run:?}")
    };
    assert_eq!((*outcome, *verification), (Outcome::Succeeded, Some(Verification::Verified)));
    assert_eq!(backup.blob, format!("{}.zip", world.azure.accepted()[0].0));
    let fold = Fold::of(&world.events(id).await).unwrap();
    assert_eq!((fold.state, fold.failure_counts), (run.state, run.failure_counts));
    verify_chain(&world.store.chain(0, 100).await.unwrap(), Link::origin()).unwrap();
}

#[tokio::test]
async fn a_partial_backup_is_looked_at_before_it_counts_as_good() {
    for (partial_is_good, looks) in [(true, 2), (false, 0)] {
        let world = World::new();
        world
            .add_run_under("shop", |policy_snapshot| policy_snapshot.partial_is_good = partial_is_good)
            .await;
        world.azure.script_statuses(&["PartiallySucceeded"]);
        world.carry_on().await;
        let RunState::Ended { outcome, .. } = world.run().await.state else { unreachable!() };
        assert_eq!((outcome, world.backups().await[0].good), (Outcome::Partial, partial_is_good));
        assert_eq!(world.storage.looks.lock().unwrap().len(), looks);
    }
}

#[tokio::test]
async fn a_message_of_another_version_or_of_no_run_is_dropped_without_a_call() {
    let world = World::new();
    let run_id = world.add_run("shop").await;
    for version in [0, 2, -1] {
        assert_eq!(world.step(Wakeup { run_id, version }).await.unwrap(), Stepped::Dropped);
    }
    let stranger = holdfast_model::RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(99));
    assert_eq!(world.step(Wakeup { run_id: stranger, version: 1 }).await.unwrap(), Stepped::Dropped);
    world.carry_on().await;
    let calls = world.azure.calls().len();
    let version = world.run().await.version;
    assert_eq!(world.step(Wakeup { run_id, version }).await.unwrap(), Stepped::Dropped);
    assert_eq!(world.azure.calls().len(), calls, "a run that is over is left alone");
}

#[tokio::test]
async fn of_many_steps_on_one_message_one_posts() {
    let world = World::new();
    world.add_run("shop").await;
    let wakeup = world.hand_out().await[0];
    let (a, b, c) = tokio::join!(world.step(wakeup), world.step(wakeup), world.step(wakeup));
    let done = [a, b, c].into_iter().filter(|stepped| matches!(stepped, Ok(Stepped::Done))).count();
    assert_eq!((done, world.azure.accepted().len()), (1, 1));
    world.carry_on().await;
    assert_eq!(world.azure.accepted().len(), 1);
}

#[tokio::test]
async fn a_worker_that_stood_still_beyond_its_permit_does_not_post() {
    let world = World::new();
    let id = world.add_run("shop").await;
    let within = Settings::default().post_within;
    *world.store.trouble.lock().unwrap() = Some((0, Trouble::Stall(world.clock.clone(), within)));
    let wakeup = world.hand_out().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Dropped);
    assert_eq!(world.azure.calls(), [""; 0]);
    assert!(matches!(world.run().await.state, RunState::Starting { .. }));
    world.carry_on().await;
    let names: Vec<String> = world.azure.accepted().into_iter().map(|(name, _)| name).collect();
    assert!(matches!(&names[..], [name] if name.ends_with("-2")), "{names:?}");
    assert!(world.story(id).await.contains(&"absent"));
}

#[tokio::test]
async fn a_stall_within_the_permit_does_no_harm() {
    let world = World::new();
    world.add_run("shop").await;
    let within = Settings::default().post_within.checked_sub(Duration::from_millis(1)).unwrap();
    *world.store.trouble.lock().unwrap() = Some((0, Trouble::Stall(world.clock.clone(), within)));
    let wakeup = world.hand_out().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Done);
    assert_eq!(world.azure.accepted().len(), 1);
}

#[tokio::test]
async fn blobs_are_looked_at_by_the_stores_time_and_not_by_the_machines() {
    let mut world = World::new();
    let wrong = world.clock.now() + Duration::from_mins(10);
    world.env.clock = Arc::new(ManualClock::new(wrong));
    world.add_run("shop").await;
    world.carry_on().await;
    let looks = world.storage.looks.lock().unwrap().clone();
    assert_eq!(looks, [world.clock.now(); 2], "the blob and its manifest");
}

/// A machine that sleeps: its `elapsed` stands still meanwhile.
#[derive(Debug)]
struct Sleepy(Arc<ManualClock>);

impl Clock for Sleepy {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn a_machine_that_slept_beyond_its_permit_does_not_post() {
    let mut world = World::new();
    world.env.clock = Arc::new(Sleepy(world.clock.clone()));
    world.add_run("shop").await;
    *world.store.trouble.lock().unwrap() =
        Some((0, Trouble::Stall(world.clock.clone(), Duration::from_hours(2))));
    let wakeup = world.hand_out().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Dropped);
    assert_eq!(world.azure.calls(), [""; 0]);
}

#[tokio::test]
async fn a_machine_that_slept_before_its_intent_was_committed_commits_none() {
    let mut world = World::new();
    world.env.clock = Arc::new(Sleepy(world.clock.clone()));
    let id = world.add_run("shop").await;
    *world.storage.stall.lock().unwrap() =
        Some((world.clock.clone(), LEASE.checked_sub(Duration::from_secs(1)).unwrap()));
    let wakeup = world.hand_out().await[0];
    // By its own time the intent would lapse while the request may still be under way.
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Dropped);
    assert_eq!((world.run().await.state, world.azure.calls()), (RunState::Planned, Vec::new()));
    world.env.clock = world.clock.clone();
    world.carry_on().await;
    assert_eq!((world.azure.accepted().len(), world.story(id).await.contains(&"absent")), (1, false));
}

#[tokio::test]
async fn a_worker_whose_lease_passed_while_it_prepared_neither_commits_nor_posts() {
    let world = World::new();
    world.add_run("shop").await;
    let wakeup = world.hand_out().await[0];
    let mut step = pin!(world.step(wakeup));
    assert!(poll_times(step.as_mut(), 4).is_none());
    world.clock.advance(LEASE);
    let again = world.hand_out().await;
    assert_ne!(again, [wakeup], "the lease's end makes a new version");
    assert_eq!(step.await.unwrap(), Stepped::Dropped);
    assert_eq!(world.azure.calls(), [""; 0]);
    assert_eq!(world.step(again[0]).await.unwrap(), Stepped::Done);
    assert_eq!(world.azure.accepted().len(), 1);
}

#[tokio::test]
async fn an_answer_that_comes_when_others_already_look_for_the_backup_is_dropped_and_the_backup_adopted() {
    let world = World::new();
    let id = world.add_run("shop").await;
    world.azure.list_late(1);
    let wakeup = world.hand_out().await[0];
    let mut step = pin!(world.step(wakeup));
    while world.azure.accepted().is_empty() {
        assert!(poll_times(step.as_mut(), 1).is_none());
    }
    world.clock.advance(Settings::default().intent_lease());
    let look = world.hand_out().await[0];
    assert_eq!(world.step(look).await.unwrap(), Stepped::Done);
    assert_eq!(step.await.unwrap(), Stepped::Dropped);
    world.carry_on().await;
    assert_eq!(world.azure.accepted().len(), 1);
    let story = world.story(id).await;
    assert!(story.contains(&"adopted") && !story.contains(&"accepted"), "{story:?}");
}

#[tokio::test(start_paused = true)]
async fn a_post_that_never_answers_is_given_up_in_time_and_looked_for() {
    let world = World::new();
    let id = world.add_run("shop").await;
    world.azure.script_posts([Post::Hang]);
    let wakeup = world.hand_out().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Done);
    assert!(matches!(world.run().await.state, RunState::Reconciling { .. }));
    world.carry_on().await;
    assert_eq!(world.azure.accepted().len(), 1);
    assert!(world.story(id).await.contains(&"adopted"));
}

#[tokio::test]
async fn a_commit_that_fails_at_any_step_leaves_a_run_that_later_steps_bring_to_its_end() {
    for lost in [false, true] {
        for nth in 0..6 {
            let world = World::new();
            let id = world.add_run("shop").await;
            let trouble = if lost { Trouble::AnswerLost } else { Trouble::Fails };
            *world.store.trouble.lock().unwrap() = Some((nth, trouble));
            for _ in 0..100 {
                if world.run().await.state.is_ended() {
                    break;
                }
                world.wait().await;
                for wakeup in world.hand_out().await {
                    let failed = world.step(wakeup).await.is_err();
                    assert!(!failed || world.store.trouble.lock().unwrap().is_none());
                }
            }
            let run = world.run().await;
            assert!(
                matches!(run.state, RunState::Ended { outcome: Outcome::Succeeded, .. }),
                "{nth} {lost}: {run:?}"
            );
            assert_eq!(world.azure.accepted().len(), 1, "{nth} {lost}");
            Fold::of(&world.events(id).await).unwrap();
        }
    }
}

#[tokio::test]
async fn a_throttled_post_closes_the_subscriptions_writes_and_the_same_attempt_is_made_later() {
    let world = World::new();
    let id = world.add_run("shop").await;
    let retry_after = Some(Duration::from_secs(500));
    world.azure.script_posts([Post::Refuse(ErrorKind::Throttled { retry_after, scope: ThrottleScope::Arm })]);
    let wakeup = world.hand_out().await[0];
    world.step(wakeup).await.unwrap();
    world.add_run("other").await;
    assert_eq!(world.hand_out().await, [], "the other app of the subscription waits too");
    world.clock.advance(Duration::from_secs(500));
    world.carry_on().await;
    let names: Vec<String> = world.azure.accepted().into_iter().map(|(name, _)| name).collect();
    assert!(names.len() == 2 && names.iter().all(|name| name.ends_with("-1")), "{names:?}");
    assert!(world.story(id).await.contains(&"deferred"));
}

#[tokio::test]
async fn a_sas_that_storage_refused_is_named_so_that_another_one_comes() {
    let world = World::new();
    let id = world.add_run("shop").await;
    world.azure.script_statuses(&["Failed"]);
    world.carry_on().await;
    let replace: Vec<_> =
        world.storage.needs.lock().unwrap().iter().map(|need| need.replace.clone()).collect();
    assert_eq!(replace, [None, Some("0123456789ab".to_owned())]);
    assert_eq!(world.azure.accepted().len(), 2);
    let need = world.storage.needs.lock().unwrap()[0].clone();
    assert_eq!(need.until - need.now, chrono::TimeDelta::hours(4));
    let causes: Vec<_> = world
        .events(id)
        .await
        .iter()
        .filter_map(|event| match event {
            holdfast_model::RunEvent::AttemptEnded { cause, .. } => Some(*cause),
            _ => None,
        })
        .collect();
    assert_eq!(causes, [Cause::StorageRefused]);
}
