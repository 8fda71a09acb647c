//! What several processes on one database owe each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Clock, Limits, RunId};
use holdfast_store::{Change, Committed, LaneQuota, Mode, PgStore, Store};
use sqlx::Connection;
use tokio::sync::Barrier;

use super::Fixture;

/// Another process, on the same clock.
async fn process(fixture: &Fixture) -> PgStore {
    PgStore::connect(&fixture.database.url(), Mode::Join).await.unwrap().with_clock(fixture.clock.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_dispatchers_hand_out_each_run_once_and_never_exceed_a_limit() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    for n in 0..80 {
        fixture.add(&format!("app{n}")).await;
    }
    // Four plans that lie in one storage account: each dispatcher begins with another, and only the account joins them.
    let four = "UPDATE runs SET plan = '/plans/' || right(app, 1)::integer % 4;
        UPDATE unfinished_runs SET plan = '/plans/' || right(app, 1)::integer % 4, lane = replace(lane, '/plans/p1', '/plans/' || right(app, 1)::integer % 4)";
    fixture.sql(four).await.unwrap();
    let lanes = fixture.store.due_lanes().await.unwrap().lanes;
    assert_eq!(lanes.len(), 4);
    let limits = Limits { per_plan: 9, per_account: 22, outstanding: 25, ..Limits::default() };
    let at_once = Arc::new(Barrier::new(4));
    let mut dispatchers = tokio::task::JoinSet::new();
    for n in 0..4 {
        let mut asks: Vec<LaneQuota> =
            lanes.iter().map(|due| LaneQuota { lane: due.lane.clone(), most: 4 }).collect();
        asks.rotate_left(n);
        let (store, limits, at_once) = (process(&fixture).await, limits.clone(), at_once.clone());
        dispatchers.spawn(async move {
            let mut taken: Vec<RunId> = Vec::new();
            for n in 0..6 {
                at_once.wait().await;
                let asks = if n < 3 { &asks[..1] } else { &asks };
                let more = store
                    .acquire(
                        asks,
                        &limits,
                        holdfast_store::LeaseTerms { lasts: Duration::from_mins(1), seed: 1 },
                    )
                    .await
                    .unwrap();
                taken.extend(more.iter().map(|taken| taken.wakeup.run_id));
            }
            taken
        });
    }
    let mut count: BTreeMap<RunId, u32> = BTreeMap::new();
    for id in dispatchers.join_all().await.into_iter().flatten() {
        *count.entry(id).or_default() += 1;
    }
    assert_eq!(count.len(), 22, "the account's limit is the narrowest, and all of it is used");
    assert!(count.values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatchers_workers_and_planners_that_work_at_once_never_block_each_other_for_good() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let mut lane = None;
    for n in 0..40 {
        lane = fixture.add(&format!("app{n}")).await.lane();
    }
    let asks = [LaneQuota { lane: lane.unwrap(), most: 4 }];
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (store, asks, limits) = (process(&fixture).await, asks.clone(), Limits::default());
        processes.spawn(async move {
            let mut done = 0;
            for _ in 0..12 {
                // A lease of nothing: others reclaim what this one works on.
                for taken in store
                    .acquire(&asks, &limits, holdfast_store::LeaseTerms { lasts: Duration::ZERO, seed: 1 })
                    .await
                    .unwrap()
                {
                    let run = store.load(taken.wakeup.run_id).await.unwrap().unwrap().run;
                    let (at, until) = (run.created_at, run.created_at);
                    let detail = "busy".to_owned();
                    let event = holdfast_model::RunEvent::Deferred {
                        cause: holdfast_model::Cause::Busy,
                        detail,
                        until,
                    };
                    let after = run.after(&event, at).unwrap();
                    let change = Change { from: taken.wakeup.version, run: after, events: vec![event], at };
                    done += u32::from(store.commit(&change).await.unwrap() != Committed::Stale);
                }
                store.reclaim().await.unwrap();
                store.due_lanes().await.unwrap();
            }
            done
        });
    }
    let done: u32 = processes.join_all().await.into_iter().sum();
    let events = fixture.store.audit(0, 99_999).await.unwrap();
    assert_eq!(events.len(), 40 + done as usize);
    assert!(done > 0);
    let rows = fixture.store.chain(0, 99_999).await.unwrap();
    holdfast_store::verify_chain(&rows, holdfast_store::Link::origin()).unwrap();
}

#[tokio::test]
async fn a_change_without_events_does_not_wait_for_appends() {
    let Some(mut fixture) = Fixture::empty().await else { return };
    let run = fixture.add("shop").await;
    let mut appender = fixture.database.raw().await;
    let mut tx = appender.begin().await.unwrap();
    sqlx::query("SELECT * FROM audit_last()").execute(&mut *tx).await.unwrap();
    let change = Change { from: run.version, run, events: vec![], at: fixture.clock.now() };
    assert_eq!(fixture.store.commit(&change).await.unwrap(), Committed::Done(2));
    tx.rollback().await.unwrap();
}
