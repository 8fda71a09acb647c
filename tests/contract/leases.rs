//! Leases: commits, reclaims, and late commits of leased runs.

use holdfast_model::{Outcome, RunEvent};
use holdfast_store::{Committed, LaneQuota};

use crate::fixture::{LEASE, StoreFixture, accepted, app, facts, no_limits, poll_lane, started};

on_every_store!(
    what_was_reclaimed_is_due_again_and_cannot_be_committed,
    a_begin_step_that_was_reclaimed_lets_its_app_go,
    a_run_in_flight_that_was_reclaimed_still_holds_its_app,
    a_commit_ends_the_lease,
    a_commit_after_the_lease_counts_until_it_is_reclaimed,
    only_lapsed_leases_are_reclaimed,
);

async fn what_was_reclaimed_is_due_again_and_cannot_be_committed(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    fixture.acquire_beside(&run, 1, &no_limits()).await;
    fixture.clock.advance(LEASE);
    assert_eq!(fixture.store.reclaim().await.unwrap(), 1);
    assert_eq!(fixture.store.reclaim().await.unwrap(), 0);
    let change = fixture.change(run.clone(), vec![started(&run, fixture.now())]);
    assert_eq!(fixture.store.commit(&change).await.unwrap(), Committed::Stale);
    let taken = fixture.acquire(&[LaneQuota { lane: run.lane().unwrap(), most: 1 }], &no_limits()).await;
    assert_eq!((taken[0].wakeup.run_id, taken[0].wakeup.version), (run.id, 2));
    let row = fixture.read(run.id).await;
    assert_eq!((row.version, row.due_at), (2, run.due_at));
}

async fn a_begin_step_that_was_reclaimed_lets_its_app_go(fixture: &StoreFixture) {
    let (one, two) = (fixture.add_manual(&app("shop")).await, fixture.add_manual(&app("shop")).await);
    let mut both = Vec::new();
    for _ in 0..2 {
        let taken = fixture.acquire_beside(&one, 9, &no_limits()).await;
        assert_eq!(taken.len(), 1);
        both.extend(taken);
        fixture.clock.advance(LEASE);
        fixture.store.reclaim().await.unwrap();
        // The reclaimed run is deferred, so that the other run is next.
        let mut change = fixture.change(fixture.read(both[0]).await, vec![]);
        change.run.due_at = fixture.now() + LEASE * 9;
        fixture.store.commit(&change).await.unwrap();
    }
    both.sort();
    assert_eq!(both, [one.id.min(two.id), one.id.max(two.id)]);
}

async fn a_run_in_flight_that_was_reclaimed_still_holds_its_app(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    fixture.acquire_beside(&run, 1, &no_limits()).await;
    fixture.commit_events(run.id, vec![started(&run, fixture.now())]).await;
    let taken = fixture.acquire(&[LaneQuota { lane: poll_lane("s1"), most: 9 }], &no_limits()).await;
    assert_eq!(taken[0].wakeup.version, 2);
    fixture.clock.advance(LEASE);
    assert_eq!(fixture.store.reclaim().await.unwrap(), 1);
    let other = fixture.add_manual(&app("shop")).await;
    assert_eq!(fixture.acquire_beside(&other, 9, &no_limits()).await, []);
    assert_eq!(fixture.read(run.id).await.version, 3);
    fixture.commit_events(run.id, vec![accepted(fixture.now())]).await;
    assert_eq!(fixture.acquire_beside(&other, 9, &no_limits()).await, []);
    // Once the backup is completed, Azure no longer works on the app.
    fixture
        .commit_events(
            run.id,
            vec![RunEvent::Completed { backup: Some(facts(1, fixture.now(), fixture.now())), detail: None }],
        )
        .await;
    assert_eq!(fixture.acquire_beside(&other, 9, &no_limits()).await, [other.id]);
}

async fn a_commit_ends_the_lease(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    fixture.acquire_beside(&run, 1, &no_limits()).await;
    fixture.commit_events(run.id, vec![started(&run, fixture.now())]).await;
    assert_eq!(fixture.store.due_lanes().await.unwrap().outstanding, 0);
    fixture.clock.advance(LEASE);
    assert_eq!(fixture.store.reclaim().await.unwrap(), 0);
    let over = fixture.commit_events(run.id, vec![accepted(fixture.now())]).await;
    assert_eq!(over.version, 3);
}

async fn a_commit_after_the_lease_counts_until_it_is_reclaimed(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    fixture.acquire_beside(&run, 1, &no_limits()).await;
    fixture.clock.advance(LEASE * 2);
    let over = RunEvent::Ended { outcome: Outcome::Failed, cause: None, backup: None, verification: None };
    fixture.commit_events(run.id, vec![over]).await;
    assert_eq!(fixture.store.reclaim().await.unwrap(), 0);
}

async fn only_lapsed_leases_are_reclaimed(fixture: &StoreFixture) {
    let early = fixture.add_manual(&app("early")).await;
    fixture.acquire_beside(&early, 1, &no_limits()).await;
    fixture.advance(30);
    let late = fixture.add_manual(&app("late")).await;
    fixture.acquire_beside(&late, 1, &no_limits()).await;
    fixture.advance(30);
    assert_eq!(fixture.store.reclaim().await.unwrap(), 1);
    assert_eq!(fixture.store.due_lanes().await.unwrap().outstanding, 1);
    assert_eq!((fixture.read(early.id).await.version, fixture.read(late.id).await.version), (2, 1));
}
