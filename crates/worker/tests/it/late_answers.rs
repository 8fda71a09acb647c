//! Late and lost answers: the catalog has what Azure made, however the run ended.

use holdfast_arm::ErrorKind;
use holdfast_model::{Cause, Origin, Outcome, Retries, RunId, RunState};

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::worker_world::WorkerWorld;

async fn ending(world: &WorkerWorld, id: RunId) -> (Outcome, Option<Cause>) {
    let run = world.runs().await.into_iter().find(|run| run.id == id).unwrap();
    let RunState::Ended { outcome, cause, .. } = run.state else { panic!("{run:?}") };
    (outcome, cause)
}

/// The blobs of the catalog with this origin.
async fn blobs(world: &WorkerWorld, origin: Origin) -> Vec<String> {
    let entries = world.backups().await.into_iter().filter(|entry| entry.origin == origin);
    let mut blobs: Vec<String> = entries.map(|entry| entry.backup.blob).collect();
    blobs.sort();
    blobs
}

fn accepted(world: &WorkerWorld) -> Vec<String> {
    let mut blobs: Vec<String> =
        world.arm.accepted().into_iter().map(|(name, _)| format!("{name}.zip")).collect();
    blobs.sort();
    blobs
}

async fn orphans_recorded(world: &WorkerWorld) -> usize {
    let mut recorded = 0;
    for run in world.runs().await {
        recorded += world.event_names(run.id).await.iter().filter(|name| **name == "orphan_found").count();
    }
    recorded
}

#[tokio::test]
async fn the_backups_of_ten_lost_attempts_in_a_row_are_recorded_by_the_next_run_of_the_app() {
    let world = WorkerWorld::new();
    let lost = world.add_run("shop").await;
    let attempts = Retries::default().lost.attempts as usize;
    world.arm.script_posts(std::iter::repeat_n(PostResult::AnswerLost, attempts));
    world.arm.list_late(u32::MAX);
    world.run_to_end().await;
    assert_eq!(ending(&world, lost).await, (Outcome::Exhausted, Some(Cause::AnswerLost)));
    assert_eq!(world.run().await.failure_counts.missing.len(), attempts);
    assert_eq!(world.backups().await, []);

    let left = accepted(&world);
    world.arm.list_late(0);
    let next = world.add_run("shop").await;
    world.run_to_end().await;
    assert_eq!(ending(&world, next).await, (Outcome::Succeeded, None));
    assert_eq!(blobs(&world, Origin::Orphan).await, left);
    assert_eq!(blobs(&world, Origin::Succeeded).await.len(), 1);

    assert_eq!(orphans_recorded(&world).await, attempts);
    world.add_run("shop").await;
    world.run_to_end().await;
    assert_eq!(orphans_recorded(&world).await, attempts, "what the catalog has is not recorded again");
}

#[tokio::test]
async fn an_unreadable_list_until_the_deadline_forgets_no_attempt() {
    for kind in [ErrorKind::Ambiguous, ErrorKind::Forbidden, ErrorKind::NotFound] {
        let world = WorkerWorld::new();
        let deadline = |snapshot: &mut holdfast_model::PolicySnapshot| {
            snapshot.deadline = std::time::Duration::from_mins(10);
        };
        let lost = world.add_run_under("shop", deadline).await;
        world.arm.script_posts([PostResult::AnswerLost]);
        world.arm.fail_lists(Some(kind.clone()));
        world.run_to_end().await;
        assert_eq!(ending(&world, lost).await, (Outcome::Failed, Some(Cause::DeadlinePassed)), "{kind:?}");
        let left = accepted(&world);

        world.arm.fail_lists(None);
        let next = world.add_run("shop").await;
        world.run_to_end().await;
        assert_eq!(ending(&world, next).await, (Outcome::Succeeded, None), "{kind:?}");
        assert_eq!(blobs(&world, Origin::Orphan).await, left, "{kind:?}");
    }
}

#[tokio::test]
async fn a_list_that_fails_does_not_stop_the_next_backup_of_an_app_with_a_lost_attempt() {
    let world = WorkerWorld::new();
    world.add_run_under("shop", |snapshot| snapshot.deadline = std::time::Duration::from_mins(10)).await;
    world.arm.script_posts([PostResult::AnswerLost]);
    world.arm.fail_lists(Some(ErrorKind::Ambiguous));
    world.run_to_end().await;
    let next = world.add_run("shop").await;
    world.run_to_end().await;
    assert_eq!(ending(&world, next).await, (Outcome::Succeeded, None));
}

#[tokio::test]
async fn one_404_or_403_on_a_poll_ends_nothing() {
    for kind in [ErrorKind::NotFound, ErrorKind::Forbidden] {
        let world = WorkerWorld::new();
        let id = world.add_run("shop").await;
        world.arm.script_statuses(&["InProgress"; 8]);
        world.arm.script_get_errors([kind.clone(), kind.clone(), kind.clone()]);
        world.run_to_end().await;
        assert_eq!(ending(&world, id).await, (Outcome::Succeeded, None), "{kind:?}");
        let looks = world.arm.calls().iter().filter(|call| **call == "list").count();
        assert_eq!(looks, if kind == ErrorKind::NotFound { 3 } else { 0 }, "the list is the second look");
    }
}
