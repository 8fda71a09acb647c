//! Backups that share a number, and backups that Azure lists otherwise than before.

use holdfast_model::{
    BackupFacts, BackupId, CatalogEntry, Delete, OperatorAction, Removal, RunEvent, StorageName, Task,
};
use holdfast_store::CatalogFilter;

use crate::catalog::{completed, delete, only};
use crate::fixture::{StoreFixture, app, facts, secs};

on_every_store!(
    the_backups_of_one_number_of_a_recreated_app_are_all_known_and_the_older_ones_are_lost,
    a_backup_that_changed_is_not_good_until_it_is_verified,
);

async fn the_backups_of_one_number_of_a_recreated_app_are_all_known_and_the_older_ones_are_lost(
    fixture: &StoreFixture,
) {
    let shop = app("shop");
    let taken = |blob: &str, second: u64| {
        let backup =
            BackupFacts { blob: blob.into(), ..facts(5, fixture.now() + secs(second), fixture.now()) };
        OperatorAction::TakenOver { backup, storage: StorageName::new("weu") }
    };
    // The names of a native schedule repeat: only the time tells its backups apart.
    let mut told = Vec::new();
    for (blob, second) in [("shop.zip", 0), ("hf-a.zip", 10), ("shop.zip", 20), ("hf-late.zip", 5)] {
        fixture.add_action(&shop, taken(blob, second)).await;
        told.push(fixture.now());
        fixture.advance(1);
    }
    let verified = OperatorAction::Verified { backup: BackupId(7), size_bytes: Some(5) };
    fixture.add_action(&shop, verified).await;
    let all = fixture.catalog(&CatalogFilter { with_removed: true, ..CatalogFilter::default() }).await;
    let lost = |at: usize| Some(Removal { at: told[at], deleted: false });
    let listed: Vec<_> = all.iter().map(|entry| (&*entry.backup.blob, entry.removal)).collect();
    let known = [("shop.zip", None), ("hf-a.zip", lost(2)), ("hf-late.zip", lost(3)), ("shop.zip", lost(1))];
    assert_eq!(listed, known);
    let verified: Vec<bool> = all.iter().map(CatalogEntry::is_verified).collect();
    assert_eq!(verified, [true, false, false, false], "an action is about the current backup of the number");
    let old = Delete { backup: BackupId(7), blob: "hf-a.zip".into(), allow_last: true, rule: None };
    let run = fixture.add_task(&shop, Task::Delete(old)).await;
    let loaded = fixture.store.load(run.id).await.unwrap().unwrap();
    assert_eq!((loaded.subject.unwrap().backup.blob.as_str(), loaded.is_last), ("hf-a.zip", true));
    // Azure deletes by the number, which is the new backup's: it does not count as one that stays.
    completed(fixture, &run).await;
    let there = fixture.catalog(&CatalogFilter::default()).await;
    assert_eq!(there.len(), 1, "the deletion of the old backup leaves the new one: {there:?}");
}

async fn a_backup_that_changed_is_not_good_until_it_is_verified(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.complete_backup(&shop, 5, 30).await;
    let before = only(fixture).await;
    let check = fixture.add_task(&shop, Task::CheckCatalog { schedule: None, databases: Vec::new() }).await;
    fixture.advance(1);
    let (backup, blob) = (BackupId(7), before.backup.blob.clone());
    let now = BackupFacts { accepted_at: fixture.now(), ..before.backup.clone() };
    let differences = vec!["azure calls it Failed".to_owned()];
    let (was, updates) = (blob.clone(), vec!["created later".into()]);
    let event = RunEvent::BackupChanged { backup, blob: was, now: now.clone(), updates, differences };
    fixture.commit_events(check.id, vec![event]).await;
    let changed = only(fixture).await;
    assert_eq!((changed.good, changed.verified_at, &changed.backup), (false, None, &now));
    assert!(changed.is_counted_on(), "it is still the last one");
    let deletion = fixture.add_task(&shop, delete(7)).await;
    assert!(fixture.store.load(deletion.id).await.unwrap().unwrap().is_last);
    fixture.advance(1);
    let verified = RunEvent::BackupVerified { backup, blob, size_bytes: 5 };
    fixture.commit_events(check.id, vec![verified]).await;
    let again = only(fixture).await;
    assert_eq!((again.good, again.verified_at), (true, Some(fixture.now())));
    assert_eq!(again.change.unwrap().good_once_verified, None);
}
