//! What a catalog check records.

use holdfast_model::{
    BackupFacts, BackupId, CatalogEntry, MissingBackup, NativeSchedule, Origin, Outcome, Removal, Run,
    RunEvent, StorageName, Task,
};
use holdfast_store::{AppStatus, CatalogFilter};

use crate::fixture::{StoreFixture, app, ended, enrolled, facts};

on_every_store!(
    a_lost_backup_stops_counting_and_counts_again_once_it_is_found,
    a_finding_about_another_blob_of_the_number_changes_nothing,
    a_late_backup_is_added_once_and_completes_what_was_unfinished,
    the_status_has_the_last_check_and_what_it_found,
);

const BLOB: &str = "hf-shop.zip";

async fn check(fixture: &StoreFixture) -> Run {
    let schedule = Some(NativeSchedule::days(7));
    fixture.add_task(&app("shop"), Task::CheckCatalog { schedule, databases: Vec::new() }).await
}

/// Commits these findings in a check that ends.
async fn finds(fixture: &StoreFixture, mut events: Vec<RunEvent>) -> Run {
    let run = check(fixture).await;
    events.push(ended(Outcome::Succeeded, None));
    fixture.commit_events(run.id, events).await
}

fn lost(blob: &str) -> RunEvent {
    let (backup, blob, detail) = (BackupId(7), blob.into(), "it's \"gone\"".into());
    RunEvent::BackupLost { backup, blob, detail, deletion: None }
}

async fn all(fixture: &StoreFixture) -> Vec<CatalogEntry> {
    fixture.catalog(&CatalogFilter { with_removed: true, ..CatalogFilter::default() }).await
}

async fn status(fixture: &StoreFixture) -> AppStatus {
    fixture.store.status().await.unwrap().remove(0)
}

async fn a_lost_backup_stops_counting_and_counts_again_once_it_is_found(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    fixture.complete_backup(&shop, 5, 30).await;
    let good_at = status(fixture).await.last_good_at;
    assert!(good_at.is_some());
    let run = check(fixture).await;
    let missing = MissingBackup { id: BackupId(7), blob: BLOB.into() };
    let looked = RunEvent::BackupsMissing { backups: vec![missing], looked_at: fixture.now() };
    fixture.commit_events(run.id, vec![looked]).await;
    assert_eq!(all(fixture).await[0].removal, None, "one look proves nothing");
    fixture.commit_events(run.id, vec![lost(BLOB), ended(Outcome::Succeeded, None)]).await;
    assert_eq!(all(fixture).await[0].removal, Some(Removal { at: fixture.now(), deleted: false }));
    let told = status(fixture).await;
    assert_eq!((told.last_good_at, told.check.lost), (None, 1));
    let again = RunEvent::BackupFoundAgain { backup: BackupId(7), blob: BLOB.into() };
    let verified = RunEvent::BackupVerified { backup: BackupId(7), blob: BLOB.into(), size_bytes: 5 };
    fixture.advance(1);
    finds(fixture, vec![again, verified]).await;
    let entry = all(fixture).await.remove(0);
    assert_eq!((entry.removal, entry.verified_at), (None, Some(fixture.now())));
    let told = status(fixture).await;
    assert_eq!((told.last_good_at, told.check.lost), (good_at, 0));
    let deletion = Some(fixture.id());
    let (backup, blob, detail) = (BackupId(7), BLOB.into(), "gone".into());
    finds(fixture, vec![RunEvent::BackupLost { backup, blob, detail, deletion }]).await;
    assert!(all(fixture).await[0].removal.is_some_and(|gone| gone.deleted), "Holdfast deleted it");
    assert_eq!(status(fixture).await.check.lost, 0);
}

async fn a_finding_about_another_blob_of_the_number_changes_nothing(fixture: &StoreFixture) {
    fixture.complete_backup(&app("shop"), 5, 30).await;
    let before = all(fixture).await;
    let blob = || "hf-old.zip".to_owned();
    let again = RunEvent::BackupFoundAgain { backup: BackupId(7), blob: blob() };
    let verified = RunEvent::BackupVerified { backup: BackupId(7), blob: blob(), size_bytes: 5 };
    fixture.advance(1);
    finds(fixture, vec![lost("hf-old.zip"), again, verified]).await;
    assert_eq!(all(fixture).await, before);
}

async fn a_late_backup_is_added_once_and_completes_what_was_unfinished(fixture: &StoreFixture) {
    let shop = app("shop");
    let run = fixture.add_manual(&shop).await;
    let late = |backup: BackupFacts| RunEvent::LateBackupFound {
        backup,
        run: run.id,
        storage: StorageName::new("neu"),
        good: true,
        verified: true,
    };
    finds(fixture, vec![late(facts(5, fixture.now(), fixture.now()))]).await;
    let entry = all(fixture).await.remove(0);
    assert_eq!((entry.run, entry.origin, entry.good), (run.id, Origin::Orphan, true));
    assert_eq!((entry.storage.as_str(), entry.verified_at), ("neu", Some(fixture.now())));
    let unfinished =
        BackupFacts { id: BackupId(8), finished_at: None, ..facts(0, fixture.now(), fixture.now()) };
    let left = RunEvent::AttemptEnded {
        number: 1,
        status: None,
        cause: holdfast_model::Cause::DeadlinePassed,
        detail: String::new(),
        backup: Some(unfinished.clone()),
        retry_at: None,
    };
    fixture.commit_events(run.id, vec![crate::fixture::started(&run, fixture.now()), left]).await;
    let finished = BackupFacts { size_bytes: 9, finished_at: Some(fixture.now()), ..unfinished };
    finds(fixture, vec![late(finished.clone())]).await;
    let entries = all(fixture).await;
    let entry = entries.iter().find(|entry| entry.backup.id == BackupId(8)).unwrap();
    assert_eq!((&entry.backup, entry.origin, entry.good), (&finished, Origin::Attempt, true));
    assert!(entry.sas.is_some(), "what was known stays");
}

async fn the_status_has_the_last_check_and_what_it_found(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    assert_eq!(status(fixture).await.check, holdfast_store::CheckStatus::default());
    let drift = |drift: Vec<String>| RunEvent::ScheduleCompared { found: None, drift };
    let first = finds(fixture, vec![drift(vec!["enabled".into()])]).await;
    let told = status(fixture).await.check;
    let last = told.last.unwrap();
    assert_eq!((last.run_id, last.outcome, last.ended_at), (first.id, Outcome::Succeeded, fixture.now()));
    assert!(told.drift);
    fixture.advance(1);
    let second = finds(fixture, vec![drift(Vec::new())]).await;
    fixture.advance(1);
    check(fixture).await;
    let told = status(fixture).await.check;
    assert_eq!((told.last.map(|last| last.run_id), told.drift), (Some(second.id), false));
    fixture.complete_backup(&shop, 5, 30).await;
    let filter = holdfast_store::RunFilter {
        kind: Some(holdfast_model::RunKind::CheckCatalog),
        unfinished: true,
        ..Default::default()
    };
    let unfinished = fixture.store.runs(&filter).await.unwrap().remove(0);
    fixture.commit_events(unfinished.id, vec![lost(BLOB), ended(Outcome::Succeeded, None)]).await;
    assert_eq!(status(fixture).await.check.lost, 1);
    fixture.advance(7 * 24 * 3_600);
    assert_eq!(status(fixture).await.check.lost, 0, "a loss is reported for a week");
}
