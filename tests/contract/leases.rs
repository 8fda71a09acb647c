//! What becomes of a run that was handed out.

use holdfast_model::{Outcome, RunEvent};
use holdfast_store::{Committed, LaneQuota};

use crate::bench::{Bench, LEASE, accepted, app, ask, facts, no_limits, started};

on_every_store!(
    what_was_reclaimed_is_due_again_and_cannot_be_committed,
    a_begin_step_that_was_reclaimed_lets_its_app_go,
    a_run_in_flight_that_was_reclaimed_still_holds_its_app,
    a_commit_ends_the_lease,
    a_commit_after_the_lease_counts_while_nobody_reclaimed,
    only_lapsed_leases_are_reclaimed,
);

async fn what_was_reclaimed_is_due_again_and_cannot_be_committed(bench: &Bench) {
    let run = bench.added(&app("shop")).await;
    bench.take_beside(&run, 1, &no_limits()).await;
    bench.clock.advance(LEASE);
    assert_eq!(bench.store.reclaim().await.unwrap(), 1);
    assert_eq!(bench.store.reclaim().await.unwrap(), 0);
    let change = bench.change(run.clone(), vec![started(&run, bench.now())]);
    assert_eq!(bench.store.commit(&change).await.unwrap(), Committed::Stale);
    let taken = bench.acquire(&[LaneQuota { lane: run.lane().unwrap(), most: 1 }], &no_limits()).await;
    assert_eq!((taken[0].wakeup.run_id, taken[0].wakeup.version), (run.id, 2));
    let row = bench.read(run.id).await;
    assert_eq!((row.version, row.due_at), (2, run.due_at));
}

async fn a_begin_step_that_was_reclaimed_lets_its_app_go(bench: &Bench) {
    let (one, two) = (bench.added(&app("shop")).await, bench.added(&app("shop")).await);
    let mut both = Vec::new();
    for _ in 0..2 {
        let taken = bench.take_beside(&one, 9, &no_limits()).await;
        assert_eq!(taken.len(), 1);
        both.extend(taken);
        bench.clock.advance(LEASE);
        bench.store.reclaim().await.unwrap();
        // The one that was reclaimed is put off, so that the other's turn comes.
        let mut change = bench.change(bench.read(both[0]).await, vec![]);
        change.run.due_at = bench.now() + LEASE * 9;
        bench.store.commit(&change).await.unwrap();
    }
    both.sort();
    assert_eq!(both, [one.id.min(two.id), one.id.max(two.id)]);
}

async fn a_run_in_flight_that_was_reclaimed_still_holds_its_app(bench: &Bench) {
    let run = bench.added(&app("shop")).await;
    bench.take_beside(&run, 1, &no_limits()).await;
    bench.happen(run.id, vec![started(&run, bench.now())]).await;
    let taken = bench.acquire(&[LaneQuota { lane: ask("s1"), most: 9 }], &no_limits()).await;
    assert_eq!(taken[0].wakeup.version, 2);
    bench.clock.advance(LEASE);
    assert_eq!(bench.store.reclaim().await.unwrap(), 1);
    let other = bench.added(&app("shop")).await;
    assert_eq!(bench.take_beside(&other, 9, &no_limits()).await, []);
    assert_eq!(bench.read(run.id).await.version, 3);
    bench.happen(run.id, vec![accepted(bench.now())]).await;
    assert_eq!(bench.take_beside(&other, 9, &no_limits()).await, []);
    // Its blob is checked: Azure is done with the app.
    bench
        .happen(
            run.id,
            vec![RunEvent::Completed { backup: Some(facts(1, bench.now(), bench.now())), detail: None }],
        )
        .await;
    assert_eq!(bench.take_beside(&other, 9, &no_limits()).await, [other.id]);
}

async fn a_commit_ends_the_lease(bench: &Bench) {
    let run = bench.added(&app("shop")).await;
    bench.take_beside(&run, 1, &no_limits()).await;
    bench.happen(run.id, vec![started(&run, bench.now())]).await;
    assert_eq!(bench.store.due_lanes().await.unwrap().outstanding, 0);
    bench.clock.advance(LEASE);
    assert_eq!(bench.store.reclaim().await.unwrap(), 0);
    let over = bench.happen(run.id, vec![accepted(bench.now())]).await;
    assert_eq!(over.version, 3);
}

async fn a_commit_after_the_lease_counts_while_nobody_reclaimed(bench: &Bench) {
    let run = bench.added(&app("shop")).await;
    bench.take_beside(&run, 1, &no_limits()).await;
    bench.clock.advance(LEASE * 2);
    let over = RunEvent::Ended { outcome: Outcome::Failed, cause: None, backup: None, verification: None };
    bench.happen(run.id, vec![over]).await;
    assert_eq!(bench.store.reclaim().await.unwrap(), 0);
}

async fn only_lapsed_leases_are_reclaimed(bench: &Bench) {
    let early = bench.added(&app("early")).await;
    bench.take_beside(&early, 1, &no_limits()).await;
    bench.advance(30);
    let late = bench.added(&app("late")).await;
    bench.take_beside(&late, 1, &no_limits()).await;
    bench.advance(30);
    assert_eq!(bench.store.reclaim().await.unwrap(), 1);
    assert_eq!(bench.store.due_lanes().await.unwrap().outstanding, 1);
    assert_eq!((bench.read(early.id).await.version, bench.read(late.id).await.version), (2, 1));
}
