//! Commit checks again whether an attempt may start.

use holdfast_model::{
    App, BackupFacts, BackupId, BackupName, Delete, Drill, OperatorAction, Outcome, Restore, Run, RunEvent,
    StorageName, Task, Trigger,
};
use holdfast_store::Committed;

use crate::fixture::{StoreFixture, app, ended, facts, started};

on_every_store!(
    a_deletion_does_not_begin_where_a_hold_was_faster_or_nothing_good_would_be_left,
    the_last_partial_backup_is_kept_where_nothing_good_is_left,
    a_deletion_does_not_begin_while_its_backup_is_to_be_read,
    a_backup_is_not_read_once_its_deletion_has_begun,
    an_unverified_backup_alone_does_not_let_a_verified_one_go,
);

/// The blob of backup `id`. Each backup has its own.
fn blob(id: i64) -> String {
    format!("hf-{id}.zip")
}

fn delete(id: i64, allow_last: bool) -> Task {
    Task::Delete(Delete { backup: BackupId(id), blob: blob(id), allow_last, rule: None })
}

/// A restore of a backup of the app, by its number or by its blob.
fn restore(source: &App, backup: Option<BackupId>, id: i64) -> Restore {
    Restore {
        source: source.id.clone(),
        backup,
        blob: blob(id),
        new_in_plan: None,
        databases: Vec::new(),
        ignore_databases: true,
        ignore_conflicting_host_names: true,
    }
}

async fn keeps(fixture: &StoreFixture, app: &App, id: i64) {
    let backup = BackupFacts { id: BackupId(id), blob: blob(id), ..facts(id, fixture.now(), fixture.now()) };
    fixture.add_action(app, OperatorAction::TakenOver { backup, storage: StorageName::new("weu") }).await;
}

/// Commits the start of the run's next attempt.
async fn begin(fixture: &StoreFixture, run: &Run) -> Committed {
    let run = fixture.read(run.id).await;
    let event = started(&run, fixture.now());
    let change = fixture.change(run, vec![event]);
    fixture.store.commit(&change).await.unwrap()
}

async fn end(fixture: &StoreFixture, run: &Run) {
    let completed = RunEvent::Completed { backup: None, detail: None };
    let over = RunEvent::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None };
    fixture.commit_events(run.id, vec![completed, over]).await;
}

async fn a_deletion_does_not_begin_where_a_hold_was_faster_or_nothing_good_would_be_left(
    fixture: &StoreFixture,
) {
    let shop = app("shop");
    for id in [1, 2] {
        keeps(fixture, &shop, id).await;
    }
    let by_policy = fixture.add(fixture.task_run(&shop, delete(1, false), Trigger::Policy)).await;
    fixture
        .add_action(&shop, OperatorAction::Held { blob: None, backup: BackupId(1), reason: "audit".into() })
        .await;
    assert_eq!(begin(fixture, &by_policy).await, Committed::Stale, "the backup is on hold");
    fixture.add_action(&shop, OperatorAction::Released { backup: BackupId(1), reason: "over".into() }).await;
    let by_hand = fixture.add_task(&shop, delete(2, true)).await;
    assert_eq!(begin(fixture, &by_policy).await, Committed::Stale, "the other good backup is being deleted");
    assert_eq!(begin(fixture, &by_hand).await, Committed::Done(2), "`allow_last` permits it");
    end(fixture, &by_hand).await;
    assert_eq!(begin(fixture, &by_policy).await, Committed::Stale, "it is the only good backup");
    keeps(fixture, &shop, 3).await;
    assert_eq!(begin(fixture, &by_policy).await, Committed::Done(2), "another good backup exists");
}

/// Adds a partial backup that is not good to the catalog.
async fn keeps_partial(fixture: &StoreFixture, app: &App, id: i64) {
    let run = fixture.add_manual(app).await;
    let backup = BackupFacts { id: BackupId(id), blob: blob(id), ..facts(id, fixture.now(), fixture.now()) };
    fixture.commit_events(run.id, vec![ended(Outcome::Partial, Some(backup))]).await;
}

/// Adds a backup that a lost attempt left to the catalog.
async fn keeps_orphan(fixture: &StoreFixture, app: &App, id: i64) {
    let run = fixture.add_manual(app).await;
    let name = BackupName::of_attempt(&run.app, run.id, 1, &mut fastrand::Rng::with_seed(1));
    fixture
        .commit_events(run.id, vec![RunEvent::OrphanFound { number: 1, backup: BackupId(id), name }])
        .await;
}

async fn the_last_partial_backup_is_kept_where_nothing_good_is_left(fixture: &StoreFixture) {
    let [bare, two, orphaned, saved, lone] = ["bare", "two", "orphaned", "saved", "lone"].map(app);
    for app in [&bare, &two, &orphaned, &saved] {
        keeps_partial(fixture, app, 1).await;
    }
    keeps_partial(fixture, &two, 2).await;
    for app in [&orphaned, &lone] {
        keeps_orphan(fixture, app, 2).await;
    }
    keeps(fixture, &saved, 2).await;
    // `is_last` as loaded agrees with the check at commit.
    let may_begin = async |app: &App, id: i64| {
        let run = fixture.add(fixture.task_run(app, delete(id, false), Trigger::Policy)).await;
        let is_last = fixture.store.load(run.id).await.unwrap().unwrap().is_last;
        let committed = begin(fixture, &run).await;
        assert_eq!(committed == Committed::Stale, is_last, "{} {id}", app.id.site());
        !is_last
    };
    assert!(!may_begin(&bare, 1).await, "it is the only backup");
    assert!(may_begin(&two, 1).await, "another partial backup is left");
    assert!(!may_begin(&two, 2).await, "the other backup is being deleted");
    assert!(!may_begin(&orphaned, 1).await, "the orphan is not verified");
    assert!(may_begin(&orphaned, 2).await, "an orphan is no recovery point");
    assert!(may_begin(&lone, 2).await, "an orphan is no recovery point");
    let verified = OperatorAction::Verified { backup: BackupId(2), size_bytes: Some(2) };
    fixture.add_action(&saved, verified).await;
    assert!(may_begin(&saved, 1).await, "a good backup is left");
    keeps_partial(fixture, &saved, 3).await;
    assert!(!may_begin(&saved, 2).await, "a partial backup does not replace the last good one");
}

async fn a_deletion_does_not_begin_while_its_backup_is_to_be_read(fixture: &StoreFixture) {
    let (shop, copy, scratch) = (app("shop"), app("copy"), app("scratch"));
    for id in 1..=4 {
        keeps(fixture, &shop, id).await;
    }
    let by_number = Task::Restore(restore(&shop, Some(BackupId(1)), 1));
    let by_blob = Task::Restore(restore(&copy, None, 2));
    let drill = Task::Drill(Drill { restore: restore(&shop, Some(BackupId(3)), 3), probe: None });
    for (id, task) in [(1, by_number), (2, by_blob), (3, drill)] {
        let deletion = fixture.add_task(&shop, delete(id, true)).await;
        let reader = fixture.add_task(&scratch, task).await;
        assert_eq!(begin(fixture, &deletion).await, Committed::Stale, "{reader:?} waits");
        assert_eq!(begin(fixture, &reader).await, Committed::Done(2), "the deletion has not started");
        assert_eq!(begin(fixture, &deletion).await, Committed::Stale, "{reader:?} is unfinished");
        end(fixture, &reader).await;
        assert_eq!(begin(fixture, &deletion).await, Committed::Done(2), "{id}");
    }
}

async fn a_backup_is_not_read_once_its_deletion_has_begun(fixture: &StoreFixture) {
    let (shop, copy, scratch) = (app("shop"), app("copy"), app("scratch"));
    for id in 1..=3 {
        keeps(fixture, &shop, id).await;
    }
    let deletion = fixture.add_task(&shop, delete(1, false)).await;
    assert_eq!(begin(fixture, &deletion).await, Committed::Done(2));
    let by_number = Task::Restore(restore(&shop, Some(BackupId(1)), 1));
    let by_blob = Task::Restore(restore(&copy, None, 1));
    let drill = Task::Drill(Drill { restore: restore(&shop, Some(BackupId(1)), 1), probe: None });
    for task in [by_number, by_blob, drill] {
        let reader = fixture.add_task(&scratch, task).await;
        assert_eq!(begin(fixture, &reader).await, Committed::Stale, "{reader:?}");
    }
    let other = fixture.add_task(&copy, Task::Restore(restore(&shop, Some(BackupId(2)), 2))).await;
    assert_eq!(begin(fixture, &other).await, Committed::Done(2), "another backup does not matter");
}

async fn an_unverified_backup_alone_does_not_let_a_verified_one_go(fixture: &StoreFixture) {
    let shop = app("shop");
    for id in [1, 2, 3] {
        keeps(fixture, &shop, id).await;
    }
    let verified = |id| OperatorAction::Verified { backup: BackupId(id), size_bytes: Some(id) };
    fixture.add_action(&shop, verified(1)).await;
    let deletion = fixture.add(fixture.task_run(&shop, delete(1, false), Trigger::Policy)).await;
    assert!(fixture.store.load(deletion.id).await.unwrap().unwrap().is_last);
    assert_eq!(begin(fixture, &deletion).await, Committed::Stale, "2 and 3 are not verified");
    let other = fixture.add(fixture.task_run(&shop, delete(2, false), Trigger::Policy)).await;
    assert_eq!(begin(fixture, &other).await, Committed::Done(2), "the verified one replaces it");
    fixture.add_action(&shop, verified(3)).await;
    assert_eq!(begin(fixture, &deletion).await, Committed::Done(2), "3 is verified");
}
