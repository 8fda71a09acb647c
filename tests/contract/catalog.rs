//! The catalog reflects the events of runs.

use holdfast_model::{
    App, BackupFacts, BackupId, CatalogEntry, Cause, Delete, Drill, OperatorAction, Origin, Outcome,
    RefreshReason, RefreshSas, Removal, Restore, Run, RunEvent, SasFacts, SasRefresh, StorageName, Task,
    Verification,
};
use holdfast_store::CatalogFilter;

use crate::fixture::{StoreFixture, accepted, app, ended, enrolled, facts, secs, started, window};

on_every_store!(
    a_good_backup_is_in_the_catalog_with_the_sas_that_azure_keeps,
    a_good_backup_whose_storage_never_answered_is_not_verified_and_is_no_baseline,
    a_partial_backup_is_good_where_its_terms_said_so,
    what_an_attempt_left_is_known_and_a_better_word_on_it_wins,
    what_a_run_made_and_did_not_count_is_known,
    an_orphan_is_known_and_overwrites_nothing_better,
    a_deleted_backup_is_removed_and_a_failed_deletion_is_recorded,
    a_deletion_takes_no_other_backup_of_its_number_out_of_the_catalog,
    a_new_sas_is_recorded_and_so_is_a_failed_refresh,
    operator_actions_hold_release_lose_find_and_adopt,
    a_drill_is_recorded_at_the_backup_it_restored,
    an_app_tells_when_its_sas_expires_and_when_a_drill_last_proved_a_backup,
    a_run_is_loaded_with_what_its_kind_needs_to_know,
    the_catalog_is_read_by_app_the_newest_first_and_in_pages,
    runs_that_are_no_backups_do_not_hide_how_backups_go,
);

/// The only entry of the catalog, removed ones included.
pub async fn only(fixture: &StoreFixture) -> CatalogEntry {
    let mut all = fixture.catalog(&CatalogFilter { with_removed: true, ..CatalogFilter::default() }).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

pub fn delete(id: i64) -> Task {
    Task::Delete(Delete { backup: BackupId(id), blob: "hf-shop.zip".into(), allow_last: true, rule: None })
}

fn over(outcome: Outcome, cause: Option<Cause>) -> RunEvent {
    RunEvent::Ended { outcome, cause, backup: None, verification: None }
}

/// The first attempt fails and leaves a backup.
fn left_by_attempt(cause: Cause, backup: BackupFacts) -> RunEvent {
    let (number, status, detail, backup, retry_at) = (1, None, String::new(), Some(backup), None);
    RunEvent::AttemptEnded { number, status, cause, detail, backup, retry_at }
}

/// Commits the start and the completion of an attempt.
pub async fn completed(fixture: &StoreFixture, run: &Run) {
    let attempt_started =
        RunEvent::AttemptStarted { attempt: crate::fixture::attempt(run, fixture.now(), ""), sas: None };
    fixture
        .commit_events(run.id, vec![attempt_started, RunEvent::Completed { backup: None, detail: None }])
        .await;
}

async fn a_good_backup_is_in_the_catalog_with_the_sas_that_azure_keeps(fixture: &StoreFixture) {
    let (shop, begun_at) = (app("shop"), fixture.now());
    let run = fixture.complete_backup(&shop, 5, 30).await;
    let expected = CatalogEntry {
        app: shop.id.clone(),
        run: run.id,
        policy: shop.policy.clone(),
        storage: StorageName::new("weu"),
        backup: facts(5, begun_at, fixture.now()),
        origin: Origin::Succeeded,
        good: true,
        sas: Some(SasFacts { fingerprint: "0a1b2c3d4e5f".into(), window: window(begun_at) }),
        hold: None,
        removal: None,
        last_failure_at: None,
        verified_at: Some(fixture.now()),
        drill: None,
        change: None,
    };
    assert_eq!(only(fixture).await, expected);
}

async fn a_good_backup_whose_storage_never_answered_is_not_verified_and_is_no_baseline(
    fixture: &StoreFixture,
) {
    for verification in [Verification::Unreachable, Verification::Unusable] {
        let shop = app(verification.as_str());
        fixture.complete_backup(&shop, 1_000, 30).await;
        fixture.advance(60);
        let run = fixture.add_manual(&shop).await;
        fixture.commit_events(run.id, vec![started(&run, fixture.now()), accepted(fixture.now())]).await;
        let backup = BackupFacts { id: BackupId(8), ..facts(5, fixture.now(), fixture.now()) };
        let completed = RunEvent::Completed { backup: Some(backup.clone()), detail: None };
        let (outcome, verification) = (Outcome::Succeeded, Some(verification));
        let ended = RunEvent::Ended { outcome, cause: None, backup: Some(backup), verification };
        fixture.commit_events(run.id, vec![completed, ended]).await;
        let filter = CatalogFilter { app: Some(shop.id.clone()), ..CatalogFilter::default() };
        let newest = fixture.catalog(&filter).await.remove(0);
        assert_eq!((newest.backup.id, newest.good, newest.verified_at), (BackupId(8), true, None));
        let next = fixture.add_manual(&shop).await;
        let loaded = fixture.store.load(next.id).await.unwrap().unwrap();
        assert_eq!(loaded.last_good_bytes, Some(1_000), "{verification:?}");
        fixture.sync(&[crate::fixture::enrolled(&shop, None)]).await;
        let status = fixture.store.status().await.unwrap();
        let status = status.into_iter().find(|status| status.app == shop.id).unwrap();
        assert_eq!(status.last.unwrap().verification, verification);
    }
}

async fn a_partial_backup_is_good_where_its_terms_said_so(fixture: &StoreFixture) {
    for (partial_is_good, name) in [(false, "a"), (true, "b")] {
        let mut new = fixture.manual(&app(name));
        new.run.policy_snapshot.partial_is_good = partial_is_good;
        let run = fixture.add(new).await;
        let partial = ended(Outcome::Partial, Some(facts(5, fixture.now(), fixture.now())));
        fixture.commit_events(run.id, vec![partial]).await;
    }
    let all = fixture.catalog(&CatalogFilter::default()).await;
    let listed: Vec<_> = all.iter().map(|entry| (entry.app.site(), entry.origin, entry.good)).collect();
    assert_eq!(listed, [("a", Origin::Partial, false), ("b", Origin::Partial, true)]);
}

async fn what_an_attempt_left_is_known_and_a_better_word_on_it_wins(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    fixture.commit_events(run.id, vec![started(&run, fixture.now()), accepted(fixture.now())]).await;
    let partial = facts(5, fixture.now(), fixture.now());
    fixture.commit_events(run.id, vec![left_by_attempt(Cause::PartiallySucceeded, partial.clone())]).await;
    let left = only(fixture).await;
    assert_eq!((left.origin, left.good, left.sas.is_some()), (Origin::Attempt, false, true));
    fixture.commit_events(run.id, vec![ended(Outcome::Partial, Some(partial))]).await;
    let verified_at = Some(fixture.now());
    assert_eq!(only(fixture).await, CatalogEntry { origin: Origin::Partial, verified_at, ..left });
}

async fn what_a_run_made_and_did_not_count_is_known(fixture: &StoreFixture) {
    let mut new = fixture.manual(&app("shop"));
    new.run.policy_snapshot.partial_is_good = true;
    let run = fixture.add(new).await;
    fixture.commit_events(run.id, vec![started(&run, fixture.now()), accepted(fixture.now())]).await;
    let late = left_by_attempt(Cause::DeadlinePassed, facts(0, fixture.now(), fixture.now()));
    fixture.commit_events(run.id, vec![late, over(Outcome::Failed, Some(Cause::DeadlinePassed))]).await;
    let left = only(fixture).await;
    assert_eq!((left.origin, left.good, left.sas.is_some()), (Origin::Attempt, false, true));
}

async fn an_orphan_is_known_and_overwrites_nothing_better(fixture: &StoreFixture) {
    let run = fixture.complete_backup(&app("shop"), 5, 30).await;
    let good = only(fixture).await;
    let second = fixture.add_manual(&app("shop")).await;
    let orphan = |id| {
        let name =
            holdfast_model::BackupName::of_attempt(&run.app, run.id, 1, &mut fastrand::Rng::with_seed(1));
        RunEvent::OrphanFound { number: 1, backup: BackupId(id), name }
    };
    fixture.commit_events(second.id, vec![orphan(7), orphan(8)]).await;
    let all = fixture.catalog(&CatalogFilter::default()).await;
    assert_eq!((all.len(), &all[2]), (3, &good));
    let name = holdfast_model::BackupName::of_attempt(&run.app, run.id, 1, &mut fastrand::Rng::with_seed(1));
    let blob = format!("{name}.zip");
    assert_eq!((all[0].origin, all[0].good, &all[0].backup.blob), (Origin::Orphan, false, &blob));
    assert_eq!((all[0].backup.size_bytes, all[0].backup.accepted_at), (0, fixture.now()));
}

async fn a_deleted_backup_is_removed_and_a_failed_deletion_is_recorded(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.complete_backup(&shop, 5, 30).await;
    for (cause, last_failure_at) in
        [(Cause::Protected, None), (Cause::DeleteFailed, Some(fixture.now() + secs(2)))]
    {
        fixture.advance(1);
        let run = fixture.add_task(&shop, delete(7)).await;
        fixture.commit_events(run.id, vec![over(Outcome::Failed, Some(cause))]).await;
        let entry = only(fixture).await;
        assert_eq!((entry.last_failure_at, entry.removal), (last_failure_at, None));
    }
    let run = fixture.add_task(&shop, delete(7)).await;
    fixture.commit_events(run.id, vec![over(Outcome::Failed, Some(Cause::BackupNotFound))]).await;
    assert_eq!(only(fixture).await.removal, Some(Removal { at: fixture.now(), deleted: false }));
    fixture.advance(1);
    let run = fixture.add_task(&shop, delete(7)).await;
    completed(fixture, &run).await;
    assert_eq!(only(fixture).await.removal, Some(Removal { at: fixture.now(), deleted: true }));
    assert_eq!(fixture.catalog(&CatalogFilter::default()).await, []);
}

async fn a_deletion_takes_no_other_backup_of_its_number_out_of_the_catalog(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.complete_backup(&shop, 5, 30).await;
    let old =
        Task::Delete(Delete { backup: BackupId(7), blob: "hf-old.zip".into(), allow_last: true, rule: None });
    let run = fixture.add_task(&shop, old.clone()).await;
    fixture.commit_events(run.id, vec![over(Outcome::Failed, Some(Cause::BackupNotFound))]).await;
    let run = fixture.add_task(&shop, old).await;
    completed(fixture, &run).await;
    assert_eq!(only(fixture).await.removal, None);
}

async fn a_new_sas_is_recorded_and_so_is_a_failed_refresh(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.complete_backup(&shop, 5, 30).await;
    let (backup, reason) = (BackupId(7), RefreshReason::KeptBackup);
    let refresh = Task::RefreshSas(RefreshSas { backup, reason, old: None });
    let run = fixture.add_task(&shop, refresh.clone()).await;
    let new = SasFacts { fingerprint: "feedc0ffee00".into(), window: window(fixture.now()) };
    let replaced = |backup| {
        let (storage, container) = (StorageName::new("weu"), "https://acct".to_owned());
        let refresh = SasRefresh { storage, container, reason, old: None, new: new.clone(), backup };
        RunEvent::SasRefreshed { refresh }
    };
    let before = only(fixture).await;
    fixture.commit_events(run.id, vec![replaced(None)]).await;
    assert_eq!(only(fixture).await, before);
    fixture.commit_events(run.id, vec![replaced(Some(backup)), over(Outcome::Succeeded, None)]).await;
    assert_eq!(only(fixture).await, CatalogEntry { sas: Some(new.clone()), ..before.clone() });
    let run = fixture.add_task(&shop, refresh).await;
    fixture.commit_events(run.id, vec![over(Outcome::Exhausted, Some(Cause::SasUnusable))]).await;
    let last_failure_at = Some(fixture.now());
    assert_eq!(only(fixture).await, CatalogEntry { sas: Some(new.clone()), last_failure_at, ..before });
}

async fn operator_actions_hold_release_lose_find_and_adopt(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture
        .add_action(
            &shop,
            OperatorAction::Held {
                blob: None,
                backup: BackupId(7),
                reason: "a hold on an unknown backup".into(),
            },
        )
        .await;
    assert_eq!(fixture.catalog(&CatalogFilter::default()).await, []);
    let (backup, storage) = (facts(5, fixture.now() - secs(9), fixture.now()), StorageName::new("neu"));
    fixture
        .add_action(&shop, OperatorAction::TakenOver { backup: backup.clone(), storage: storage.clone() })
        .await;
    let taken = only(fixture).await;
    assert_eq!((taken.origin, taken.good, &taken.storage), (Origin::TakenOver, true, &storage));
    let id = BackupId(7);
    fixture
        .add_action(&shop, OperatorAction::Held { blob: None, backup: id, reason: "the \"audit\"".into() })
        .await;
    assert_eq!(only(fixture).await.hold.as_deref(), Some("the \"audit\""));
    fixture.add_action(&shop, OperatorAction::Released { backup: id, reason: "over".into() }).await;
    fixture.add_action(&shop, OperatorAction::Revealed { backup: id }).await;
    fixture.add_action(&shop, OperatorAction::Drift { found: None, drift: vec!["none".into()] }).await;
    assert_eq!(only(fixture).await, taken);
    fixture.advance(1);
    fixture.add_action(&shop, OperatorAction::Lost { backup: id, detail: "no blob".into() }).await;
    assert_eq!(only(fixture).await.removal, Some(Removal { at: fixture.now(), deleted: false }));
    fixture.advance(1);
    fixture.add_action(&shop, OperatorAction::Verified { backup: id, size_bytes: None }).await;
    let found = only(fixture).await;
    assert_eq!((found.removal, found.verified_at), (None, None), "its blob was not read");
    fixture.add_action(&shop, OperatorAction::Verified { backup: id, size_bytes: Some(5) }).await;
    assert_eq!(only(fixture).await.verified_at, Some(fixture.now()));
    let run = fixture.add_task(&shop, delete(7)).await;
    completed(fixture, &run).await;
    fixture.add_action(&shop, OperatorAction::Verified { backup: id, size_bytes: None }).await;
    assert!(only(fixture).await.removal.is_some_and(|gone| gone.deleted));
}

fn drill(source: &App, id: i64) -> Task {
    let restore = Restore {
        source: source.id.clone(),
        backup: Some(BackupId(id)),
        blob: "hf-shop.zip".into(),
        new_in_plan: None,
        databases: Vec::new(),
        ignore_databases: false,
        ignore_conflicting_host_names: true,
    };
    Task::Drill(Drill { restore, probe: None })
}

async fn a_drill_is_recorded_at_the_backup_it_restored(fixture: &StoreFixture) {
    let (shop, scratch) = (app("shop"), app("scratch"));
    fixture.complete_backup(&shop, 5, 30).await;
    for (outcome, passed) in [(Outcome::Failed, false), (Outcome::Succeeded, true)] {
        fixture.advance(1);
        let run = fixture.add_task(&scratch, drill(&shop, 7)).await;
        fixture.commit_events(run.id, vec![over(outcome, None)]).await;
        assert_eq!(only(fixture).await.drill, Some((fixture.now(), passed)));
    }
}

async fn an_app_tells_when_its_sas_expires_and_when_a_drill_last_proved_a_backup(fixture: &StoreFixture) {
    let (shop, scratch) = (app("shop"), app("scratch"));
    fixture.sync(&[enrolled(&shop, None)]).await;
    let of_shop = async || {
        let status = fixture.store.status().await.unwrap().remove(0);
        (status.sas_expiry, status.proven_at)
    };
    assert_eq!(of_shop().await, (None, None));
    let begun = fixture.now();
    fixture.complete_backup(&shop, 5, 30).await;
    let expiry = only(fixture).await.sas.unwrap().window.expiry;
    assert!(expiry.is_some_and(|expiry| expiry > begun));
    let mut proven = None;
    for outcome in [Outcome::Failed, Outcome::Succeeded] {
        fixture.advance(1);
        let run = fixture.add_task(&scratch, drill(&shop, 7)).await;
        assert_eq!(of_shop().await, (expiry, proven));
        fixture.commit_events(run.id, vec![over(outcome, None)]).await;
        proven = (outcome == Outcome::Succeeded).then(|| fixture.now());
    }
    assert_eq!(of_shop().await, (expiry, proven));
}

async fn a_run_is_loaded_with_what_its_kind_needs_to_know(fixture: &StoreFixture) {
    let (shop, scratch) = (app("shop"), app("scratch"));
    fixture.complete_backup(&shop, 5, 30).await;
    let entry = only(fixture).await;
    let load = async |run: &Run| {
        let loaded = fixture.store.load(run.id).await.unwrap().unwrap();
        (loaded.subject, loaded.is_last, loaded.last_good_bytes, loaded.durations)
    };
    let backup = fixture.add_manual(&shop).await;
    assert_eq!(load(&backup).await, (None, false, Some(5), vec![secs(30)]));
    let drill = fixture.add_task(&scratch, drill(&shop, 7)).await;
    assert_eq!(load(&drill).await, (Some(entry.clone()), false, None, vec![]));
    let unknown = fixture.add_task(&shop, delete(8)).await;
    assert_eq!(load(&unknown).await, (None, false, None, vec![]));
    let deletion = fixture.add_task(&shop, delete(7)).await;
    assert_eq!(load(&deletion).await, (Some(entry.clone()), true, None, vec![]));
    let other = BackupFacts { id: BackupId(9), ..facts(9, fixture.now(), fixture.now()) };
    fixture
        .add_action(&shop, OperatorAction::TakenOver { backup: other, storage: StorageName::new("weu") })
        .await;
    assert_eq!(load(&deletion).await, (Some(entry.clone()), true, None, vec![]), "the other is not verified");
    let verified = OperatorAction::Verified { backup: BackupId(9), size_bytes: Some(9) };
    fixture.add_action(&shop, verified).await;
    assert_eq!(load(&deletion).await, (Some(entry), false, None, vec![]));
}

async fn the_catalog_is_read_by_app_the_newest_first_and_in_pages(fixture: &StoreFixture) {
    let of = |id: i64| {
        let backup =
            holdfast_model::BackupFacts { id: BackupId(id), ..facts(id, fixture.now(), fixture.now()) };
        OperatorAction::TakenOver { backup, storage: StorageName::new("weu") }
    };
    for (name, id) in [("b", 1), ("a", 3), ("a", 1), ("c", 2)] {
        fixture.add_action(&app(name), of(id)).await;
    }
    fixture.advance(1);
    fixture.add_action(&app("a"), of(2)).await;
    fixture.add_action(&app("b"), OperatorAction::Lost { backup: BackupId(1), detail: "no".into() }).await;
    let read = async |filter: CatalogFilter| -> Vec<String> {
        let all = fixture.catalog(&filter).await;
        all.iter().map(|entry| format!("{}{}", entry.app.site(), entry.backup.id)).collect()
    };
    let all = CatalogFilter::default();
    let with_removed = CatalogFilter { with_removed: true, ..all.clone() };
    assert_eq!(read(all.clone()).await, ["a2", "a3", "a1", "c2"]);
    assert_eq!(read(with_removed.clone()).await, ["a2", "a3", "a1", "b1", "c2"]);
    assert_eq!(read(CatalogFilter { most_apps: 1, ..all.clone() }).await, ["a2", "a3", "a1"]);
    let after = Some(app("a").id);
    assert_eq!(read(CatalogFilter { most_apps: 1, after: after.clone(), ..all.clone() }).await, ["c2"]);
    assert_eq!(read(CatalogFilter { most_apps: 1, after, ..with_removed.clone() }).await, ["b1"]);
    let some: std::collections::BTreeSet<_> = ["c", "b", "none"].map(|name| app(name).id).into();
    assert_eq!(read(CatalogFilter { apps: some.clone(), ..all.clone() }).await, ["c2"]);
    assert_eq!(read(CatalogFilter { apps: some, ..with_removed.clone() }).await, ["b1", "c2"]);
    assert_eq!(read(CatalogFilter { app: Some(app("b").id), ..all }).await, [""; 0]);
    assert_eq!(read(CatalogFilter { app: Some(app("b").id), ..with_removed }).await, ["b1"]);
}

async fn runs_that_are_no_backups_do_not_hide_how_backups_go(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[crate::fixture::enrolled(&shop, Some(("daily", fixture.now() + secs(60))))]).await;
    let good = fixture.complete_backup(&shop, 5, 30).await;
    fixture.advance(60);
    fixture.add_task(&shop, delete(8)).await;
    let deletion = fixture.add_task(&shop, delete(7)).await;
    fixture.commit_events(deletion.id, vec![over(Outcome::Failed, Some(Cause::DeleteFailed))]).await;
    fixture.add_action(&shop, OperatorAction::Revealed { backup: BackupId(7) }).await;
    let status = fixture.store.status().await.unwrap().remove(0);
    assert_eq!((status.last.unwrap().run_id, status.running), (good.id, None));
    assert_eq!(fixture.cursors_due().await[0].unfinished, 0);
    let run = fixture.add_manual(&shop).await;
    let loaded = fixture.store.load(run.id).await.unwrap().unwrap();
    assert_eq!((loaded.last_good_bytes, loaded.durations), (Some(5), vec![secs(30)]));
    // A lost backup is not a recovery point.
    fixture.add_action(&shop, OperatorAction::Lost { backup: BackupId(7), detail: "no".into() }).await;
    assert_eq!(fixture.store.status().await.unwrap()[0].last_good_at, None);
    let kind = |kind| holdfast_store::RunFilter { kind: Some(kind), ..Default::default() };
    for (of, count) in [(holdfast_model::RunKind::Delete, 2), (holdfast_model::RunKind::OperatorAction, 3)] {
        assert_eq!(fixture.store.runs(&kind(of)).await.unwrap().len(), count);
    }
}
