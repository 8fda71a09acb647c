//! Deletions and SAS refreshes that must not be sent: the fake ARM panics on either request.

use std::pin::pin;

use holdfast_model::{BackupStatus, Cause, RunId, RunState};

use crate::fixtures::worker_world::{LEASE, WorkerWorld};
use crate::fixtures::yield_points::poll_times;

/// A world with one backup.
async fn world() -> WorkerWorld {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    world.run_to_end().await;
    world
}

async fn cause(world: &WorkerWorld, id: RunId) -> Option<Cause> {
    match world.runs().await.into_iter().find(|run| run.id == id)?.state {
        RunState::Ended { cause, .. } => cause,
        _ => None,
    }
}

/// Acquires the due runs and executes the step of this one.
async fn step_of(world: &WorkerWorld, id: RunId) {
    for wakeup in world.acquire_due().await {
        if wakeup.run_id == id {
            world.step(wakeup).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_backup_that_a_restore_reads_is_not_deleted_though_the_restore_came_later() {
    let world = world().await;
    let deletion = world.add_deletion().await;
    world.add_restore("target").await;
    step_of(&world, deletion).await;
    assert_eq!(cause(&world, deletion).await, Some(Cause::Protected));
    assert_eq!(world.backups().await[0].removal, None);
}

#[tokio::test]
async fn a_backup_whose_blob_a_restore_reads_without_its_id_is_not_deleted() {
    let world = world().await;
    let deletion = world.add_deletion().await;
    world.add_blob_restore("target").await;
    step_of(&world, deletion).await;
    assert_eq!(cause(&world, deletion).await, Some(Cause::Protected));
}

#[tokio::test]
async fn a_backup_of_a_recreated_app_is_not_deleted() {
    let world = world().await;
    world.arm.recreate_app();
    let deletion = world.add_deletion().await;
    world.run_to_end().await;
    assert_eq!(cause(&world, deletion).await, Some(Cause::BackupNotFound));
    let gone = world.backups().await[0].removal;
    assert!(gone.is_some_and(|gone| !gone.deleted), "the recorded backup no longer exists");
}

#[tokio::test]
async fn a_backup_of_a_recreated_app_gets_no_sas() {
    let world = world().await;
    world.arm.recreate_app();
    let refresh = world.add_refresh().await;
    world.run_to_end().await;
    assert_eq!(cause(&world, refresh).await, Some(Cause::BackupNotFound));
}

#[tokio::test]
async fn a_hold_counts_until_the_intent_to_delete_is_committed() {
    // The fifth yield precedes the commit of the intent.
    for waits in 1..=5 {
        let world = world().await;
        let deletion = world.add_deletion().await;
        let wakeup = world.acquire_due().await.remove(0);
        let mut step = pin!(world.step(wakeup));
        assert!(poll_times(step.as_mut(), waits).is_none());
        world.hold().await;
        step.await.unwrap();
        world.run_to_end().await;
        assert_eq!(cause(&world, deletion).await, Some(Cause::Protected), "{waits}");
    }
}

#[tokio::test]
async fn a_restore_counts_until_the_intent_to_delete_is_committed() {
    for waits in 1..=5 {
        let world = world().await;
        let deletion = world.add_deletion().await;
        let wakeup = world.acquire_due().await.remove(0);
        let mut step = pin!(world.step(wakeup));
        assert!(poll_times(step.as_mut(), waits).is_none());
        world.add_restore("target").await;
        step.await.unwrap();
        // Where the intent was refused, the run becomes due again when its lease expires.
        world.clock.advance(LEASE);
        step_of(&world, deletion).await;
        assert_eq!(cause(&world, deletion).await, Some(Cause::Protected), "{waits}");
    }
}

#[tokio::test]
async fn nothing_is_restored_from_a_backup_that_azure_is_deleting() {
    for status in [BackupStatus::DeleteInProgress, BackupStatus::Deleted] {
        let world = world().await;
        world.arm.list_with_status(status);
        let restore = world.add_restore("target").await;
        world.run_to_end().await;
        assert_eq!(cause(&world, restore).await, Some(Cause::BackupNotFound));
        assert!(!world.arm.calls().contains(&"restore"));
    }
}

#[tokio::test]
async fn nothing_is_restored_from_a_backup_whose_deletion_has_begun() {
    let world = world().await;
    let deletion = world.add_deletion().await;
    world.commit_intent(deletion).await;
    for by_blob in [false, true] {
        let restore =
            if by_blob { world.add_blob_restore("target").await } else { world.add_restore("target").await };
        for wakeup in world.acquire_due().await {
            if wakeup.run_id != deletion {
                world.step(wakeup).await.unwrap();
            }
        }
        assert_eq!(cause(&world, restore).await, Some(Cause::BackupNotFound));
    }
    assert!(!world.arm.calls().contains(&"restore"));
}
