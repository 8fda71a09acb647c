//! Apps, plans and storage accounts are held at most as often as the limits say.

use std::collections::BTreeMap;

use holdfast_model::{AppId, Limits, Run};
use holdfast_store::{LaneQuota, RunFilter};

use crate::bench::{Bench, app, app_in, ask, no_limits, secs, started};

on_every_store!(
    two_runs_of_one_app_never_go_together,
    a_run_whose_app_is_held_does_not_stop_those_behind_it,
    a_plan_is_held_at_most_as_often_as_its_limit,
    a_storage_account_is_held_at_most_as_often_as_its_limit,
    groups_of_one_name_in_two_subscriptions_are_two_plans,
    questions_are_not_held_up_by_full_plans,
    no_more_is_outstanding_than_allowed,
    takes_at_once_never_exceed_any_limit,
);

async fn two_runs_of_one_app_never_go_together(bench: &Bench) {
    let one = bench.added(&app("shop")).await;
    bench.added(&app("shop")).await;
    let blog = bench.added(&app("blog")).await;
    let taken = bench.take_beside(&one, 9, &no_limits()).await;
    assert_eq!(taken.len(), 2);
    assert!(taken.contains(&blog.id));
    assert_eq!(bench.take_beside(&one, 9, &no_limits()).await, []);
}

async fn a_run_whose_app_is_held_does_not_stop_those_behind_it(bench: &Bench) {
    let first = bench.added(&app("shop")).await;
    bench.take_beside(&first, 1, &no_limits()).await;
    for _ in 0..300 {
        bench.added(&app("shop")).await;
    }
    bench.advance(1);
    let blog = bench.added(&app("blog")).await;
    assert_eq!(bench.take_beside(&first, 1, &no_limits()).await, [blog.id]);
}

async fn a_plan_is_held_at_most_as_often_as_its_limit(bench: &Bench) {
    let limits = Limits { per_plan: 2, ..no_limits() };
    let mut runs = Vec::new();
    for n in 0..5 {
        runs.push(bench.added(&app(&format!("app{n}"))).await);
    }
    let other = bench.added(&app_in("s1", "/p/2", "other")).await;
    let taken = bench.take_beside(&runs[0], 9, &limits).await;
    assert_eq!(taken.len(), 2);
    assert_eq!(bench.take_beside(&runs[0], 9, &limits).await, []);
    assert_eq!(bench.take_beside(&other, 9, &limits).await, [other.id]);
    let begun = bench.read(taken[0]).await;
    bench.happen(begun.id, vec![started(&begun, bench.now())]).await;
    assert_eq!(bench.take_beside(&runs[0], 9, &limits).await, [], "an attempt under way holds its place");
    let waits = holdfast_model::RunEvent::Deferred {
        cause: holdfast_model::Cause::Busy,
        detail: String::new(),
        until: bench.now(),
    };
    let mut change = bench.change(bench.read(begun.id).await, vec![waits]);
    change.run.due_at = bench.now() + secs(60);
    bench.store.commit(&change).await.unwrap();
    assert_eq!(bench.take_beside(&runs[0], 9, &limits).await.len(), 1, "a run put off lets go");
}

async fn a_storage_account_is_held_at_most_as_often_as_its_limit(bench: &Bench) {
    let limits = Limits { per_account: 3, ..no_limits() };
    let mut asks = Vec::new();
    for n in 0..5 {
        let run = bench.added(&app_in(&format!("s{n}"), &format!("/p/{n}"), "shop")).await;
        asks.push(LaneQuota { lane: run.lane().unwrap(), most: 9 });
    }
    assert_eq!(bench.acquire(&asks, &limits).await.len(), 3);
    assert_eq!(bench.acquire(&asks, &limits).await, []);
    let mut elsewhere = bench.manual(&app("blog"));
    elsewhere.run.policy_snapshot.account = "other".into();
    let elsewhere = bench.add(elsewhere).await;
    assert_eq!(bench.take_beside(&elsewhere, 9, &limits).await, [elsewhere.id]);
}

async fn groups_of_one_name_in_two_subscriptions_are_two_plans(bench: &Bench) {
    let limits = Limits { per_plan: 1, ..no_limits() };
    let (one, two) = (app_in("s1", "group:g", "a"), app_in("s2", "group:g", "a"));
    let (one, two) = (bench.added(&one).await, bench.added(&two).await);
    assert_eq!(bench.take_beside(&one, 9, &limits).await, [one.id]);
    assert_eq!(bench.take_beside(&two, 9, &limits).await, [two.id]);
}

async fn questions_are_not_held_up_by_full_plans(bench: &Bench) {
    let limits = Limits { per_plan: 1, per_account: 1, ..no_limits() };
    let run = bench.added(&app("shop")).await;
    bench.take_beside(&run, 9, &limits).await;
    bench.happen(run.id, vec![started(&run, bench.now())]).await;
    let taken = bench.acquire(&[LaneQuota { lane: ask("s1"), most: 9 }], &limits).await;
    assert_eq!(taken[0].wakeup.run_id, run.id);
}

async fn no_more_is_outstanding_than_allowed(bench: &Bench) {
    let limits = Limits { outstanding: 3, ..no_limits() };
    let mut asks = Vec::new();
    for n in 0..5 {
        let run = bench.added(&app_in(&format!("s{n}"), "/p", "shop")).await;
        asks.push(LaneQuota { lane: run.lane().unwrap(), most: 9 });
    }
    assert_eq!(bench.acquire(&asks, &limits).await.len(), 3);
    assert_eq!(bench.acquire(&asks, &limits).await, []);
}

async fn takes_at_once_never_exceed_any_limit(bench: &Bench) {
    let mut limits = Limits { per_plan: 3, per_account: 7, ..no_limits() };
    limits.writes.capacity = 5.0;
    let mut asks: BTreeMap<_, LaneQuota> = BTreeMap::new();
    for n in 0..60 {
        // Two runs of each of 30 apps, in 2 subscriptions of 3 plans each.
        let n = n % 30;
        let app = app_in(&format!("s{}", n % 2), &format!("/p/{}", n % 6), &format!("app{n}"));
        let lane = bench.added(&app).await.lane().unwrap();
        asks.insert(lane.clone(), LaneQuota { lane, most: 9 });
    }
    let asks: Vec<LaneQuota> = asks.into_values().collect();
    let mut takers = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (store, limits, mut asks) = (bench.store.clone(), limits.clone(), asks.clone());
        asks.rotate_left(n % 6);
        takers.spawn(async move { store.acquire(&asks, &limits, secs(60)).await.unwrap() });
    }
    let mut ids = Vec::new();
    for taken in takers.join_all().await.into_iter().flatten() {
        ids.push(taken.wakeup.run_id);
    }
    let all = bench.store.runs(&RunFilter::default()).await.unwrap();
    let taken: Vec<&Run> = all.iter().filter(|run| ids.contains(&run.id)).collect();
    assert_eq!(taken.len(), ids.len(), "none twice");
    assert_eq!(taken.len(), 7, "the account's limit is the narrowest");
    let at_most = |most: usize, key: &dyn Fn(&Run) -> String| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for run in &taken {
            *counts.entry(key(run)).or_default() += 1;
        }
        assert!(counts.values().all(|count| *count <= most), "{counts:?}");
    };
    at_most(1, &|run| AppId::to_string(&run.app));
    at_most(3, &|run| run.plan.clone());
    at_most(5, &|run| run.app.subscription().to_string());
}
