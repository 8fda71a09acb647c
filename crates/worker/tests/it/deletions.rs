//! Deletions, and new SAS, that must not leave: a request would be a panic here.

use std::pin::pin;

use holdfast_model::{BackupStatus, Cause, RunId, RunState};

use crate::world::{LEASE, World, poll_times};

/// A world with one backup.
async fn world() -> World {
    let world = World::new();
    world.add_run("shop").await;
    world.carry_on().await;
    world
}

async fn cause(world: &World, id: RunId) -> Option<Cause> {
    match world.runs().await.into_iter().find(|run| run.id == id)?.state {
        RunState::Ended { cause, .. } => cause,
        _ => None,
    }
}

/// Of the runs that are due, this one alone is worked off.
async fn step_of(world: &World, id: RunId) {
    for wakeup in world.hand_out().await {
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
async fn a_backup_whose_blob_a_restore_reads_without_its_number_is_not_deleted() {
    let world = world().await;
    let deletion = world.add_deletion().await;
    world.add_blob_restore("target").await;
    step_of(&world, deletion).await;
    assert_eq!(cause(&world, deletion).await, Some(Cause::Protected));
}

#[tokio::test]
async fn a_number_that_azure_gave_to_another_backup_is_not_deleted() {
    let world = world().await;
    world.azure.count_anew();
    let deletion = world.add_deletion().await;
    world.carry_on().await;
    assert_eq!(cause(&world, deletion).await, Some(Cause::BackupNotFound));
    let gone = world.backups().await[0].removal;
    assert!(gone.is_some_and(|gone| !gone.deleted), "what the catalog knew is no longer there");
}

#[tokio::test]
async fn a_number_that_azure_gave_to_another_backup_gets_no_sas_of_ours() {
    let world = world().await;
    world.azure.count_anew();
    let refresh = world.add_refresh().await;
    world.carry_on().await;
    assert_eq!(cause(&world, refresh).await, Some(Cause::BackupNotFound));
}

#[tokio::test]
async fn a_hold_counts_until_the_intent_to_delete_is_written() {
    // The wait before the intent's commit is the fifth.
    for waits in 1..=5 {
        let world = world().await;
        let deletion = world.add_deletion().await;
        let wakeup = world.hand_out().await.remove(0);
        let mut step = pin!(world.step(wakeup));
        assert!(poll_times(step.as_mut(), waits).is_none());
        world.hold().await;
        step.await.unwrap();
        world.carry_on().await;
        assert_eq!(cause(&world, deletion).await, Some(Cause::Protected), "{waits}");
    }
}

#[tokio::test]
async fn a_restore_counts_until_the_intent_to_delete_is_written() {
    for waits in 1..=5 {
        let world = world().await;
        let deletion = world.add_deletion().await;
        let wakeup = world.hand_out().await.remove(0);
        let mut step = pin!(world.step(wakeup));
        assert!(poll_times(step.as_mut(), waits).is_none());
        world.add_restore("target").await;
        step.await.unwrap();
        // Where the intent came too late, its lease brings the run back.
        world.clock.advance(LEASE);
        step_of(&world, deletion).await;
        assert_eq!(cause(&world, deletion).await, Some(Cause::Protected), "{waits}");
    }
}

#[tokio::test]
async fn nothing_is_restored_from_a_backup_that_azure_is_deleting() {
    for status in [BackupStatus::DeleteInProgress, BackupStatus::Deleted] {
        let world = world().await;
        world.azure.list_as(status);
        let restore = world.add_restore("target").await;
        world.carry_on().await;
        assert_eq!(cause(&world, restore).await, Some(Cause::BackupNotFound));
        assert!(!world.azure.calls().contains(&"restore"));
    }
}

#[tokio::test]
async fn nothing_is_restored_from_a_backup_whose_deletion_has_begun() {
    let world = world().await;
    let deletion = world.add_deletion().await;
    world.begin(deletion).await;
    for by_blob in [false, true] {
        let restore =
            if by_blob { world.add_blob_restore("target").await } else { world.add_restore("target").await };
        for wakeup in world.hand_out().await {
            if wakeup.run_id != deletion {
                world.step(wakeup).await.unwrap();
            }
        }
        assert_eq!(cause(&world, restore).await, Some(Cause::BackupNotFound));
    }
    assert!(!world.azure.calls().contains(&"restore"));
}
