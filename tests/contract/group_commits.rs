//! Commits and loads in groups: each ends as it would alone.

use std::pin::pin;
use std::task::Poll;

use futures::future::join_all;
use holdfast_model::{Delete, StateCode, Task};
use holdfast_store::{CatalogFilter, Change, Committed, GroupCommit, GroupLoad, Link, Loaded, verify_chain};

use crate::fixture::{StoreFixture, app, no_limits, started};

on_every_store!(
    each_change_of_a_group_ends_as_it_would_alone,
    a_change_that_the_store_refuses_harms_no_other_of_its_group,
    a_caller_that_is_dropped_takes_no_other_with_it,
    a_second_change_of_a_run_in_one_transaction_is_stale,
    runs_that_are_loaded_together_are_what_each_is_alone,
);

/// Changes that start an attempt of `count` runs, each of its own app.
async fn starts(fixture: &StoreFixture, count: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    for n in 0..count {
        let run = fixture.add_manual(&app(&format!("app{n}"))).await;
        changes.push(fixture.change(run.clone(), vec![started(&run, fixture.now())]));
    }
    changes
}

async fn each_change_of_a_group_ends_as_it_would_alone(fixture: &StoreFixture) {
    let commits = GroupCommit::new(fixture.store.clone());
    let mut changes = starts(fixture, 20).await;
    let missing = fixture.manual(&app("missing")).run;
    changes[3].from = 7;
    changes[9] = fixture.change(missing.clone(), vec![started(&missing, fixture.now())]);
    let results = join_all(changes.iter().map(|change| commits.commit(change.clone()))).await;
    for (n, result) in results.into_iter().enumerate() {
        let expected = if n == 3 || n == 9 { Committed::Stale } else { Committed::Done(2) };
        assert_eq!(result.unwrap(), expected, "change {n}");
    }
    assert_eq!(fixture.read(changes[0].run.id).await.state.code(), StateCode::Starting);
    let events = fixture.store.audit(0, 100).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.event.name() == "attempt_started").count(), 18);
    let rows = fixture.store.chain(0, 100).await.unwrap();
    assert_eq!(verify_chain(&rows, Link::origin()).unwrap().seq, 38);
}

/// The app of one change is occupied by another run, which the store refuses whatever the change says.
async fn a_change_that_the_store_refuses_harms_no_other_of_its_group(fixture: &StoreFixture) {
    let commits = GroupCommit::new(fixture.store.clone());
    let occupying = fixture.add_manual(&app("occupied")).await;
    fixture.acquire_beside(&occupying, 1, &no_limits()).await;
    let mut changes = starts(fixture, 6).await;
    let refused = fixture.scheduled(&app("occupied"), fixture.now());
    let refused = fixture.add(refused).await;
    changes.insert(4, fixture.change(refused.clone(), vec![started(&refused, fixture.now())]));
    let results = join_all(changes.into_iter().map(|change| commits.commit(change))).await;
    for (n, result) in results.into_iter().enumerate() {
        match result {
            Ok(committed) => assert!(n != 4 && committed == Committed::Done(2), "change {n}"),
            Err(error) => assert!(n == 4 && error.to_string().contains("is occupied"), "{n}: {error}"),
        }
    }
}

async fn a_caller_that_is_dropped_takes_no_other_with_it(fixture: &StoreFixture) {
    let commits = GroupCommit::new(fixture.store.clone());
    let changes = starts(fixture, 8).await;
    let mut rest = pin!(join_all(changes[2..].iter().map(|change| commits.commit(change.clone()))));
    {
        let (mut leader, mut next) =
            (pin!(commits.commit(changes[0].clone())), pin!(commits.commit(changes[1].clone())));
        let _ = futures::poll!(&mut leader);
        let _ = futures::poll!(&mut next);
        // The memory store answers at once; the others are in the middle of their transaction.
        if let Poll::Ready(results) = futures::poll!(&mut rest) {
            assert_eq!(results.len(), 6);
            return;
        }
    }
    for result in rest.await {
        assert_eq!(result.unwrap(), Committed::Done(2));
    }
    assert_eq!(commits.commit(changes[7].clone()).await.unwrap(), Committed::Stale);
}

async fn a_second_change_of_a_run_in_one_transaction_is_stale(fixture: &StoreFixture) {
    let changes = starts(fixture, 2).await;
    let twice = [changes[0].clone(), changes[1].clone(), changes[0].clone()];
    let results = fixture.store.commit_all(&twice).await.unwrap();
    assert_eq!(results, [Committed::Done(2), Committed::Done(2), Committed::Stale]);
}

async fn runs_that_are_loaded_together_are_what_each_is_alone(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.complete_backup(&shop, 5, 30).await;
    let backup = fixture.store.catalog(&CatalogFilter::default()).await.unwrap().remove(0).backup;
    let delete = Delete { backup: backup.id, blob: backup.blob, allow_last: false, rule: None };
    let deletion = fixture.add_task(&shop, Task::Delete(delete)).await;
    let next = fixture.add_manual(&shop).await;
    let other = fixture.add_manual(&app("blog")).await;
    fixture.acquire_beside(&other, 1, &no_limits()).await;
    let missing = fixture.manual(&app("missing")).run;
    let ids = [next.id, missing.id, deletion.id, other.id];
    let loads = GroupLoad::new(fixture.store.clone());
    let together = join_all(ids.iter().map(|id| loads.load(*id))).await;
    let all = fixture.store.load_all(&ids).await.unwrap();
    for ((id, grouped), listed) in ids.iter().zip(together).zip(all) {
        // PostgreSQL's clock goes on between two loads.
        let alone = fixture.store.load(*id).await.unwrap();
        let at = |loaded: Option<Loaded>| loaded.map(|loaded| Loaded { now: fixture.now(), ..loaded });
        assert_eq!((at(grouped.unwrap()), at(listed)), (at(alone.clone()), at(alone)), "{id}");
    }
}
