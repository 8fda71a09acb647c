//! Deletions that need proof, and checks of the catalog against Azure and storage.

use std::sync::atomic::Ordering;
use std::time::Duration;

use holdfast_arm::{ErrorKind, FoundSchedule};
use holdfast_model::{
    BackupId, BackupStatus, CatalogEntry, Cause, NativeSchedule, Origin, Outcome, RunEvent, RunId, RunState,
};

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::worker_world::WorkerWorld;

/// A world with this number of verified backups, a quarter of an hour apart.
async fn world(backups: u8) -> WorkerWorld {
    let world = WorkerWorld::new();
    for _ in 0..backups {
        world.add_run("shop").await;
        world.run_to_end().await;
        world.clock.advance(Duration::from_mins(15));
    }
    world.arm.list_with_status(BackupStatus::Succeeded);
    world
}

async fn end(world: &WorkerWorld, id: RunId) -> (Outcome, Option<Cause>) {
    match world.store_run(id).await.state {
        RunState::Ended { outcome, cause, .. } => (outcome, cause),
        state => panic!("{state:?}"),
    }
}

/// The detail of the refusal that ended a run.
async fn refusal(world: &WorkerWorld, id: RunId) -> String {
    let detail = |event: RunEvent| match event {
        RunEvent::StartRefused { detail, .. } => Some(detail),
        _ => None,
    };
    world.events(id).await.into_iter().find_map(detail).unwrap()
}

/// Checks the catalog and returns the names of the events.
async fn check(world: &WorkerWorld) -> Vec<&'static str> {
    let id = world.add_check().await;
    world.run_to_end().await;
    world.event_names(id).await
}

/// The numbers of the backups that count as lost.
async fn lost(world: &WorkerWorld) -> Vec<i64> {
    let is_lost = |entry: &CatalogEntry| entry.removal.is_some_and(|removal| !removal.deleted);
    let mut ids: Vec<i64> =
        world.backups().await.into_iter().filter(is_lost).map(|entry| entry.backup.id.0).collect();
    ids.sort_unstable();
    ids
}

/// The reported failure: Holdfast deleted the two old backups of an app whose fresh one was gone.
#[tokio::test]
async fn nothing_is_deleted_where_the_newest_backup_was_taken_away_in_the_portal() {
    let world = world(3).await;
    world.arm.take_away(BackupId(2));
    let oldest = world.add_deletion_by_rule(BackupId(0)).await;
    // Decided second: once this deletion is refused, its backup could stand in for the oldest.
    world.clock.advance(Duration::from_secs(1));
    let deletions = [oldest, world.add_deletion_by_rule(BackupId(1)).await];
    world.run_to_end().await;
    for id in deletions {
        assert_eq!(end(&world, id).await, (Outcome::Failed, Some(Cause::StandInMissing)));
        let detail = refusal(&world, id).await;
        assert!(detail.contains("2 (hf-shop-") && detail.contains("azure no longer lists it"), "{detail}");
    }
    assert!(!world.arm.calls().contains(&"delete"));
    assert_eq!(check(&world).await, ["planned", "backups_missing", "backup_lost", "ended"]);
    assert_eq!(lost(&world).await, [2]);
}

#[tokio::test]
async fn a_backup_is_deleted_once_the_one_that_stands_in_is_listed_and_its_blobs_are_read() {
    let world = world(3).await;
    let reads = world.storage.blob_reads.lock().unwrap().len();
    let deletion = world.add_deletion_by_rule(BackupId(0)).await;
    world.run_to_end().await;
    assert_eq!(end(&world, deletion).await, (Outcome::Succeeded, None));
    assert!(world.arm.calls().contains(&"delete"));
    let read = world.storage.blob_reads.lock().unwrap().len() - reads;
    assert!(read >= 2, "the archive and the manifest of the stand-in");
}

#[tokio::test]
async fn a_wiped_container_deletes_nothing_and_loses_every_backup() {
    let world = world(3).await;
    world.storage.is_wiped.store(true, Ordering::Relaxed);
    let deletion = world.add_deletion_by_rule(BackupId(0)).await;
    world.run_to_end().await;
    assert_eq!(end(&world, deletion).await, (Outcome::Failed, Some(Cause::StandInMissing)));
    assert!(refusal(&world, deletion).await.contains("its blob is not in the container"));
    assert!(!world.arm.calls().contains(&"delete"));
    assert_eq!(lost(&world).await, [0_i64; 0]);
    assert_eq!(
        check(&world).await,
        ["planned", "backups_missing", "backup_lost", "backup_lost", "backup_lost", "ended"]
    );
    assert_eq!(lost(&world).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_storage_that_does_not_answer_defers_the_deletion_and_loses_nothing() {
    let world = world(2).await;
    world.storage.is_silent.store(true, Ordering::Relaxed);
    let (deletion, check) = (world.add_deletion_by_rule(BackupId(0)).await, world.add_check().await);
    for wakeup in world.acquire_due().await {
        world.step(wakeup).await.unwrap();
    }
    for id in [deletion, check] {
        let state = world.store_run(id).await.state;
        assert!(matches!(state, RunState::Waiting { cause: Cause::Unreachable, .. }), "{state:?}");
    }
    world.storage.is_silent.store(false, Ordering::Relaxed);
    world.run_to_end().await;
    assert_eq!(end(&world, deletion).await, (Outcome::Succeeded, None));
    assert_eq!(lost(&world).await, [0_i64; 0]);
}

#[tokio::test]
async fn a_quiet_check_leaves_two_events_and_a_list_that_comes_short_once_loses_nothing() {
    let world = world(2).await;
    assert_eq!(check(&world).await, ["planned", "ended"]);
    // Both lists of the first look are empty.
    world.arm.list_late(2);
    assert_eq!(check(&world).await, ["planned", "backups_missing", "ended"]);
    assert_eq!(lost(&world).await, [0_i64; 0]);
}

#[tokio::test]
async fn a_recreated_app_loses_the_backups_whose_numbers_are_others_now() {
    let world = world(2).await;
    world.arm.recreate_app();
    assert_eq!(check(&world).await, ["planned", "backups_missing", "backup_lost", "backup_lost", "ended"]);
    assert_eq!(lost(&world).await, [0, 1]);
    assert_eq!(check(&world).await, ["planned", "ended"], "backups of other people are left alone");
}

#[tokio::test]
async fn a_lost_backup_that_is_listed_again_is_found_again() {
    let world = world(2).await;
    world.arm.take_away(BackupId(1));
    check(&world).await;
    assert_eq!(lost(&world).await, [1]);
    world.arm.give_back(BackupId(1));
    assert_eq!(check(&world).await, ["planned", "backup_found_again", "ended"]);
    assert_eq!(lost(&world).await, [0_i64; 0]);
    world.storage.is_wiped.store(true, Ordering::Relaxed);
    check(&world).await;
    assert_eq!(lost(&world).await, [0, 1]);
    assert_eq!(check(&world).await, ["planned", "ended"], "a listed backup without its blob stays lost");
}

#[tokio::test]
async fn an_app_that_azure_does_not_know_is_a_finding_of_its_own_and_loses_nothing() {
    let world = world(2).await;
    world.arm.fail_lists(Some(ErrorKind::NotFound));
    let id = world.add_check().await;
    world.run_to_end().await;
    assert_eq!(end(&world, id).await, (Outcome::Failed, Some(Cause::AppNotFound)));
    assert_eq!(world.event_names(id).await, ["planned", "deferred", "start_refused", "ended"]);
    assert_eq!(lost(&world).await, [0_i64; 0]);
}

#[tokio::test]
async fn backups_of_a_run_that_had_given_up_are_adopted_as_what_they_are() {
    let world = WorkerWorld::new();
    world.arm.script_posts(std::iter::repeat_n(PostResult::AnswerLost, 10));
    world.arm.list_late(1_000);
    let run = world.add_run("shop").await;
    world.run_to_end().await;
    assert_eq!(end(&world, run).await, (Outcome::Exhausted, Some(Cause::AnswerLost)));
    world.arm.list_late(0);
    world.arm.list_with_status(BackupStatus::InProgress);
    assert_eq!(check(&world).await, ["planned", "ended"], "Azure still works on them");
    world.arm.list_with_status(BackupStatus::Succeeded);
    assert!(check(&world).await.contains(&"late_backup_found"));
    let entries = world.backups().await;
    assert_eq!(entries.len(), 10);
    let is_adopted = |entry: &CatalogEntry| {
        (entry.run, entry.origin, entry.good, entry.is_verified()) == (run, Origin::Orphan, true, true)
    };
    assert!(entries.iter().all(is_adopted), "{entries:#?}");
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(check(&world).await, ["planned", "ended"]);
}

#[tokio::test]
async fn a_schedule_that_no_policy_asks_for_is_told_once_a_check_until_it_is_gone() {
    let world = world(1).await;
    let found = FoundSchedule { schedule: NativeSchedule::days(1), storage_url: None, databases: Vec::new() };
    world.arm.set_schedule(Some(found));
    assert_eq!(check(&world).await, ["planned", "schedule_compared", "ended"]);
    world.clock.advance(Duration::from_hours(1));
    world.arm.set_schedule(None);
    assert_eq!(check(&world).await, ["planned", "schedule_compared", "ended"], "it is gone");
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(check(&world).await, ["planned", "ended"]);
}

#[tokio::test]
async fn a_backup_that_azure_calls_failed_is_not_good_until_it_is_whole_again_and_read() {
    let world = world(1).await;
    let standing = async || {
        let entry = world.backups().await.remove(0);
        (entry.good, entry.is_verified(), entry.removal)
    };
    assert_eq!(standing().await, (true, true, None));
    world.arm.list_with_status(BackupStatus::Failed);
    assert_eq!(check(&world).await, ["planned", "backup_changed", "ended"]);
    assert_eq!(standing().await, (false, false, None));
    assert_eq!(check(&world).await, ["planned", "ended"], "it is told once");
    world.arm.list_with_status(BackupStatus::Succeeded);
    assert_eq!(check(&world).await, ["planned", "backup_changed", "ended"]);
    assert_eq!(standing().await, (false, false, None));
    assert_eq!(check(&world).await, ["planned", "backup_verified", "ended"]);
    assert_eq!(standing().await, (true, true, None));
}
