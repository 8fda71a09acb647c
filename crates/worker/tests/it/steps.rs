//! Single steps, and the interruptions between them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use holdfast_arm::{ErrorKind, ThrottleScope};
use holdfast_model::{
    Cause, Clock, Fold, ManualClock, Outcome, RunState, StateCode, Timestamp, Verification, Wakeup,
};
use holdfast_store::{Link, Store, verify_chain};
use holdfast_worker::{Settings, Stepped};

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::faulty_store::CommitFault;
use crate::fixtures::worker_world::{LEASE, WorkerWorld};
use crate::fixtures::yield_points::poll_times;

#[tokio::test]
async fn a_run_goes_from_planned_to_succeeded_and_records_every_step() {
    let world = WorkerWorld::new();
    let id = world.add_run("shop").await;
    world.arm.script_statuses(&["Created", "InProgress", "InProgress"]);
    world.run_to_end().await;
    let names = [
        "planned",
        "sas_refreshed",
        "attempt_started",
        "accepted",
        "status_seen",
        "status_seen",
        "completed",
        "ended",
    ];
    assert_eq!(world.event_names(id).await, names);
    assert_eq!(world.arm.calls(), ["post", "get", "get", "get", "get"]);
    let run = world.run().await;
    let RunState::Ended { outcome, backup: Some(backup), verification, .. } = &run.state else {
        panic!("{run:?}")
    };
    assert_eq!((*outcome, *verification), (Outcome::Succeeded, Some(Verification::Verified)));
    assert_eq!(backup.blob, format!("{}.zip", world.arm.accepted()[0].0));
    let fold = Fold::of(&world.events(id).await).unwrap();
    assert_eq!((fold.state, fold.failure_counts), (run.state, run.failure_counts));
    verify_chain(&world.store.chain(0, 100).await.unwrap(), Link::origin()).unwrap();
}

/// The state and version of a run after the step that finds its backup complete.
async fn after_the_last_poll(prepare: impl FnOnce(&WorkerWorld)) -> (StateCode, i64) {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    prepare(&world);
    for _ in 0..2 {
        world.advance_to_next_due().await;
        for wakeup in world.acquire_due().await {
            world.step(wakeup).await.unwrap();
        }
    }
    let run = world.run().await;
    (run.state.code(), run.version)
}

#[tokio::test(start_paused = true)]
async fn a_whole_backup_is_verified_in_the_step_that_finds_it_complete() {
    // Planned, intent, accepted, ended.
    assert_eq!(after_the_last_poll(|_| {}).await, (StateCode::Ended, 4));
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_does_not_answer_soon_is_asked_in_a_step_of_its_own() {
    let silent = |world: &WorkerWorld| world.storage.is_silent.store(true, Ordering::Relaxed);
    let hanging = |world: &WorkerWorld| world.storage.hangs.store(true, Ordering::Relaxed);
    let wiped = |world: &WorkerWorld| world.storage.is_wiped.store(true, Ordering::Relaxed);
    assert_eq!(after_the_last_poll(silent).await, (StateCode::Verifying, 4));
    assert_eq!(after_the_last_poll(hanging).await, (StateCode::Verifying, 4));
    assert_eq!(after_the_last_poll(wiped).await, (StateCode::Verifying, 4));
}

#[tokio::test]
async fn a_partial_backup_is_verified_before_it_counts_as_good() {
    for (partial_is_good, looks) in [(true, 2), (false, 0)] {
        let world = WorkerWorld::new();
        world
            .add_run_under("shop", |policy_snapshot| policy_snapshot.partial_is_good = partial_is_good)
            .await;
        world.arm.script_statuses(&["PartiallySucceeded"]);
        world.run_to_end().await;
        let RunState::Ended { outcome, .. } = world.run().await.state else { unreachable!() };
        assert_eq!((outcome, world.backups().await[0].good), (Outcome::Partial, partial_is_good));
        assert_eq!(world.storage.blob_reads.lock().unwrap().len(), looks);
    }
}

#[tokio::test]
async fn a_message_of_another_version_or_of_no_run_is_dropped_without_a_call() {
    let world = WorkerWorld::new();
    let run_id = world.add_run("shop").await;
    for version in [0, 2, -1] {
        assert_eq!(world.step(Wakeup { run_id, version, nonce: 1 }).await.unwrap(), Stepped::Dropped);
    }
    let stranger = holdfast_model::RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(99));
    assert_eq!(
        world.step(Wakeup { run_id: stranger, version: 1, nonce: 1 }).await.unwrap(),
        Stepped::Dropped
    );
    world.run_to_end().await;
    let calls = world.arm.calls().len();
    let version = world.run().await.version;
    assert_eq!(world.step(Wakeup { run_id, version, nonce: 1 }).await.unwrap(), Stepped::NotLeased);
    assert_eq!(world.arm.calls().len(), calls, "an ended run makes no call");
}

#[tokio::test]
async fn of_many_steps_on_one_message_one_posts() {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    let wakeup = world.acquire_due().await[0];
    let (a, b, c) = tokio::join!(world.step(wakeup), world.step(wakeup), world.step(wakeup));
    let done = [a, b, c].into_iter().filter(|stepped| matches!(stepped, Ok(Stepped::Done))).count();
    assert_eq!((done, world.arm.accepted().len()), (1, 1));
    world.run_to_end().await;
    assert_eq!(world.arm.accepted().len(), 1);
}

#[tokio::test]
async fn a_worker_that_was_paused_beyond_its_send_window_does_not_post() {
    let world = WorkerWorld::new();
    let id = world.add_run("shop").await;
    let within = Settings::default().post_within;
    *world.store.commit_fault.lock().unwrap() = Some((0, CommitFault::Stalls(world.clock.clone(), within)));
    let wakeup = world.acquire_due().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::SendWindowLapsed);
    assert_eq!(world.arm.calls(), [""; 0]);
    assert!(matches!(world.run().await.state, RunState::Starting { .. }));
    world.run_to_end().await;
    let names: Vec<String> = world.arm.accepted().into_iter().map(|(name, _)| name).collect();
    assert!(matches!(&names[..], [name] if name.contains("-2-")), "{names:?}");
    assert!(world.event_names(id).await.contains(&"absent"));
}

#[tokio::test]
async fn a_pause_within_the_send_window_does_not_stop_the_post() {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    let within = Settings::default().post_within.checked_sub(Duration::from_millis(1)).unwrap();
    *world.store.commit_fault.lock().unwrap() = Some((0, CommitFault::Stalls(world.clock.clone(), within)));
    let wakeup = world.acquire_due().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Done);
    assert_eq!(world.arm.accepted().len(), 1);
}

#[tokio::test]
async fn blobs_are_read_at_the_stores_time_and_not_at_the_hosts() {
    let mut world = WorkerWorld::new();
    let wrong = world.clock.now() + Duration::from_mins(10);
    world.env.clock = Arc::new(ManualClock::new(wrong));
    world.add_run("shop").await;
    world.run_to_end().await;
    let looks = world.storage.blob_reads.lock().unwrap().clone();
    assert_eq!(looks, [world.clock.now(); 2], "the blob and its manifest");
}

/// The clock of a suspended host: `elapsed` stands still.
#[derive(Debug)]
struct SuspendedClock(Arc<ManualClock>);

impl Clock for SuspendedClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

#[tokio::test]
async fn a_host_that_was_suspended_beyond_its_send_window_does_not_post() {
    let mut world = WorkerWorld::new();
    world.env.clock = Arc::new(SuspendedClock(world.clock.clone()));
    world.add_run("shop").await;
    *world.store.commit_fault.lock().unwrap() =
        Some((0, CommitFault::Stalls(world.clock.clone(), Duration::from_hours(2))));
    let wakeup = world.acquire_due().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::SendWindowLapsed);
    assert_eq!(world.arm.calls(), [""; 0]);
}

#[tokio::test]
async fn a_host_that_was_suspended_before_its_intent_commits_none() {
    let mut world = WorkerWorld::new();
    world.env.clock = Arc::new(SuspendedClock(world.clock.clone()));
    let id = world.add_run("shop").await;
    *world.storage.stall.lock().unwrap() =
        Some((world.clock.clone(), LEASE.checked_sub(Duration::from_secs(1)).unwrap()));
    let wakeup = world.acquire_due().await[0];
    // By the host's time the intent would lapse while the request may still be under way.
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::HostSuspended);
    assert_eq!((world.run().await.state, world.arm.calls()), (RunState::Planned, Vec::new()));
    world.env.clock = world.clock.clone();
    world.run_to_end().await;
    assert_eq!((world.arm.accepted().len(), world.event_names(id).await.contains(&"absent")), (1, false));
}

#[tokio::test]
async fn a_worker_whose_lease_expired_during_preparation_neither_commits_nor_posts() {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    let wakeup = world.acquire_due().await[0];
    let mut step = pin!(world.step(wakeup));
    assert!(poll_times(step.as_mut(), 4).is_none());
    world.clock.advance(LEASE);
    let again = world.acquire_due().await;
    assert_ne!(again, [wakeup], "an expired lease makes a new version");
    assert_eq!(step.await.unwrap(), Stepped::Dropped);
    assert_eq!(world.arm.calls(), [""; 0]);
    assert_eq!(world.step(again[0]).await.unwrap(), Stepped::Done);
    assert_eq!(world.arm.accepted().len(), 1);
}

#[tokio::test]
async fn an_answer_that_arrives_after_another_worker_looked_is_dropped_and_the_backup_is_adopted() {
    let world = WorkerWorld::new();
    let id = world.add_run("shop").await;
    world.arm.list_late(1);
    let wakeup = world.acquire_due().await[0];
    let mut step = pin!(world.step(wakeup));
    while world.arm.accepted().is_empty() {
        assert!(poll_times(step.as_mut(), 1).is_none());
    }
    world.clock.advance(Settings::default().intent_lease());
    let look = world.acquire_due().await[0];
    assert_eq!(world.step(look).await.unwrap(), Stepped::Done);
    assert_eq!(step.await.unwrap(), Stepped::Dropped);
    world.run_to_end().await;
    assert_eq!(world.arm.accepted().len(), 1);
    let names = world.event_names(id).await;
    assert!(names.contains(&"adopted") && !names.contains(&"accepted"), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn a_post_without_an_answer_times_out_and_is_reconciled() {
    let world = WorkerWorld::new();
    let id = world.add_run("shop").await;
    world.arm.script_posts([PostResult::NoAnswer]);
    let wakeup = world.acquire_due().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Done);
    assert!(matches!(world.run().await.state, RunState::Reconciling { .. }));
    world.run_to_end().await;
    assert_eq!(world.arm.accepted().len(), 1);
    assert!(world.event_names(id).await.contains(&"adopted"));
}

#[tokio::test]
async fn a_run_ends_after_a_failed_commit_of_any_step() {
    for lost in [false, true] {
        for nth in 0..6 {
            let world = WorkerWorld::new();
            let id = world.add_run("shop").await;
            let fault = if lost { CommitFault::AnswerLost } else { CommitFault::Fails };
            *world.store.commit_fault.lock().unwrap() = Some((nth, fault));
            for _ in 0..100 {
                if world.run().await.state.is_ended() {
                    break;
                }
                world.advance_to_next_due().await;
                for wakeup in world.acquire_due().await {
                    let failed = world.step(wakeup).await.is_err();
                    assert!(!failed || world.store.commit_fault.lock().unwrap().is_none());
                }
            }
            let run = world.run().await;
            assert!(
                matches!(run.state, RunState::Ended { outcome: Outcome::Succeeded, .. }),
                "{nth} {lost}: {run:?}"
            );
            assert_eq!(world.arm.accepted().len(), 1, "{nth} {lost}");
            Fold::of(&world.events(id).await).unwrap();
        }
    }
}

#[tokio::test]
async fn a_throttled_post_closes_the_write_budget_of_the_subscription_and_keeps_its_attempt() {
    let world = WorkerWorld::new();
    let id = world.add_run("shop").await;
    let retry_after = Some(Duration::from_secs(500));
    world
        .arm
        .script_posts([PostResult::Refused(ErrorKind::Throttled { retry_after, scope: ThrottleScope::Arm })]);
    let wakeup = world.acquire_due().await[0];
    world.step(wakeup).await.unwrap();
    world.add_run("other").await;
    assert_eq!(world.acquire_due().await, [], "the other app of the subscription waits too");
    world.clock.advance(Duration::from_secs(500));
    world.run_to_end().await;
    let names: Vec<String> = world.arm.accepted().into_iter().map(|(name, _)| name).collect();
    assert!(names.len() == 2 && names.iter().all(|name| name.contains("-1-")), "{names:?}");
    assert!(world.event_names(id).await.contains(&"deferred"));
}

#[tokio::test]
async fn a_sas_that_storage_refused_is_replaced() {
    let world = WorkerWorld::new();
    let id = world.add_run("shop").await;
    world.arm.script_statuses(&["Failed"]);
    world.run_to_end().await;
    let replace: Vec<_> =
        world.storage.needs.lock().unwrap().iter().map(|need| need.replace.clone()).collect();
    assert_eq!(replace, [None, Some("0123456789ab".to_owned())]);
    assert_eq!(world.arm.accepted().len(), 2);
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
