//! Concurrency limits: runs per app, per plan, per storage account, and in total.

use std::collections::BTreeMap;

use holdfast_model::{AppId, Limits, Run};
use holdfast_store::{LaneQuota, RunFilter};

use crate::fixture::{StoreFixture, app, app_in, no_limits, poll_lane, secs, started};

on_every_store!(
    two_runs_of_one_app_never_go_together,
    a_run_whose_app_is_held_does_not_stop_those_behind_it,
    a_plan_is_held_at_most_as_often_as_its_limit,
    a_storage_account_is_held_at_most_as_often_as_its_limit,
    groups_of_one_name_in_two_subscriptions_are_two_plans,
    questions_are_not_held_up_by_full_plans,
    no_more_is_outstanding_than_allowed,
    concurrent_acquires_never_exceed_any_limit,
);

async fn two_runs_of_one_app_never_go_together(fixture: &StoreFixture) {
    let one = fixture.add_manual(&app("shop")).await;
    fixture.add_manual(&app("shop")).await;
    let blog = fixture.add_manual(&app("blog")).await;
    let taken = fixture.acquire_beside(&one, 9, &no_limits()).await;
    assert_eq!(taken.len(), 2);
    assert!(taken.contains(&blog.id));
    assert_eq!(fixture.acquire_beside(&one, 9, &no_limits()).await, []);
}

async fn a_run_whose_app_is_held_does_not_stop_those_behind_it(fixture: &StoreFixture) {
    let first = fixture.add_manual(&app("shop")).await;
    fixture.acquire_beside(&first, 1, &no_limits()).await;
    for _ in 0..300 {
        fixture.add_manual(&app("shop")).await;
    }
    fixture.advance(1);
    let blog = fixture.add_manual(&app("blog")).await;
    assert_eq!(fixture.acquire_beside(&first, 1, &no_limits()).await, [blog.id]);
}

async fn a_plan_is_held_at_most_as_often_as_its_limit(fixture: &StoreFixture) {
    let limits = Limits { per_plan: 2, ..no_limits() };
    let mut runs = Vec::new();
    for n in 0..5 {
        runs.push(fixture.add_manual(&app(&format!("app{n}"))).await);
    }
    let other = fixture.add_manual(&app_in("s1", "/p/2", "other")).await;
    let taken = fixture.acquire_beside(&runs[0], 9, &limits).await;
    assert_eq!(taken.len(), 2);
    assert_eq!(fixture.acquire_beside(&runs[0], 9, &limits).await, []);
    assert_eq!(fixture.acquire_beside(&other, 9, &limits).await, [other.id]);
    let running = fixture.read(taken[0]).await;
    fixture.commit_events(running.id, vec![started(&running, fixture.now())]).await;
    assert_eq!(fixture.acquire_beside(&runs[0], 9, &limits).await, [], "a started attempt occupies its plan");
    let waits = holdfast_model::RunEvent::Deferred {
        cause: holdfast_model::Cause::Busy,
        detail: String::new(),
        until: fixture.now(),
    };
    let mut change = fixture.change(fixture.read(running.id).await, vec![waits]);
    change.run.due_at = fixture.now() + secs(60);
    fixture.store.commit(&change).await.unwrap();
    assert_eq!(fixture.acquire_beside(&runs[0], 9, &limits).await.len(), 1, "a deferred run frees its plan");
}

async fn a_storage_account_is_held_at_most_as_often_as_its_limit(fixture: &StoreFixture) {
    let limits = Limits { per_account: 3, ..no_limits() };
    let mut quotas = Vec::new();
    for n in 0..5 {
        let run = fixture.add_manual(&app_in(&format!("s{n}"), &format!("/p/{n}"), "shop")).await;
        quotas.push(LaneQuota { lane: run.lane().unwrap(), most: 9 });
    }
    assert_eq!(fixture.acquire(&quotas, &limits).await.len(), 3);
    assert_eq!(fixture.acquire(&quotas, &limits).await, []);
    let mut elsewhere = fixture.manual(&app("blog"));
    elsewhere.run.policy_snapshot.account = "other".into();
    let elsewhere = fixture.add(elsewhere).await;
    assert_eq!(fixture.acquire_beside(&elsewhere, 9, &limits).await, [elsewhere.id]);
}

async fn groups_of_one_name_in_two_subscriptions_are_two_plans(fixture: &StoreFixture) {
    let limits = Limits { per_plan: 1, ..no_limits() };
    let (one, two) = (app_in("s1", "group:g", "a"), app_in("s2", "group:g", "a"));
    let (one, two) = (fixture.add_manual(&one).await, fixture.add_manual(&two).await);
    assert_eq!(fixture.acquire_beside(&one, 9, &limits).await, [one.id]);
    assert_eq!(fixture.acquire_beside(&two, 9, &limits).await, [two.id]);
}

async fn questions_are_not_held_up_by_full_plans(fixture: &StoreFixture) {
    let limits = Limits { per_plan: 1, per_account: 1, ..no_limits() };
    let run = fixture.add_manual(&app("shop")).await;
    fixture.acquire_beside(&run, 9, &limits).await;
    fixture.commit_events(run.id, vec![started(&run, fixture.now())]).await;
    let taken = fixture.acquire(&[LaneQuota { lane: poll_lane("s1"), most: 9 }], &limits).await;
    assert_eq!(taken[0].wakeup.run_id, run.id);
}

async fn no_more_is_outstanding_than_allowed(fixture: &StoreFixture) {
    let limits = Limits { outstanding: 3, ..no_limits() };
    let mut quotas = Vec::new();
    for n in 0..5 {
        let run = fixture.add_manual(&app_in(&format!("s{n}"), "/p", "shop")).await;
        quotas.push(LaneQuota { lane: run.lane().unwrap(), most: 9 });
    }
    assert_eq!(fixture.acquire(&quotas, &limits).await.len(), 3);
    assert_eq!(fixture.acquire(&quotas, &limits).await, []);
}

async fn concurrent_acquires_never_exceed_any_limit(fixture: &StoreFixture) {
    let mut limits = Limits { per_plan: 3, per_account: 7, ..no_limits() };
    limits.writes.capacity = 5.0;
    let mut quotas: BTreeMap<_, LaneQuota> = BTreeMap::new();
    for n in 0..60 {
        // Two runs of each of 30 apps, in 2 subscriptions of 3 plans each.
        let n = n % 30;
        let app = app_in(&format!("s{}", n % 2), &format!("/p/{}", n % 6), &format!("app{n}"));
        let lane = fixture.add_manual(&app).await.lane().unwrap();
        quotas.insert(lane.clone(), LaneQuota { lane, most: 9 });
    }
    let quotas: Vec<LaneQuota> = quotas.into_values().collect();
    let mut acquirers = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (store, limits, mut quotas) = (fixture.store.clone(), limits.clone(), quotas.clone());
        quotas.rotate_left(n % 6);
        acquirers.spawn(async move {
            store.acquire(&quotas, &limits, crate::fixture::terms(secs(60))).await.unwrap()
        });
    }
    let mut ids = Vec::new();
    for taken in acquirers.join_all().await.into_iter().flatten() {
        ids.push(taken.wakeup.run_id);
    }
    let all = fixture.store.runs(&RunFilter::default()).await.unwrap();
    let taken: Vec<&Run> = all.iter().filter(|run| ids.contains(&run.id)).collect();
    assert_eq!(taken.len(), ids.len(), "no run is leased twice");
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
